// report.html of a run, from the files in its folder.
#include <map>

#include "laconic/core/metrics/report.h"
#include "laconic/trainers/run_record.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;

metrics::Interval interval_of(const Json& row, const char* name) {
  const auto& bounds = row.at(std::string(name) + "_interval_95");
  const auto number = [](const Json& value, double fallback) {
    return value.is_number() ? value.get<double>() : fallback;
  };
  const double estimate = row.at(name).get<double>();
  return {estimate, number(bounds.at(0), estimate), number(bounds.at(1), estimate)};
}

metrics::Outcome outcome_of(const Json& row) {
  return {interval_of(row, "accuracy"), interval_of(row, "mean_tokens")};
}

metrics::ReportAnswer answer_of(const Json& example) {
  return {example.at("completion"), example.at("correct").get<bool>(), example.at("tokens")};
}

// Completions to the same prompts before and after.
std::vector<metrics::ReportSample> samples_of(const Json& before, const Json& after) {
  std::map<std::string, metrics::ReportAnswer> earlier;
  for (const auto& example : before.at("examples")) earlier[example.at("prompt")] = answer_of(example);
  std::vector<metrics::ReportSample> samples;
  for (const auto& example : after.at("examples")) {
    metrics::ReportSample sample;
    sample.prompt = example.at("prompt");
    sample.reference = example.at("gold");
    sample.after = answer_of(example);
    if (const auto found = earlier.find(sample.prompt); found != earlier.end()) sample.before = found->second;
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

void write_run_report(const std::filesystem::path& run_folder, const std::vector<std::filesystem::path>& others) {
  std::vector<std::filesystem::path> folders = {run_folder};
  folders.insert(folders.end(), others.begin(), others.end());
  auto input = metrics::read_run_folders(folders);
  const auto evaluations = read_evaluations(run_folder);
  if (!evaluations.empty()) {
    const auto& first = evaluations.front();
    const auto& last = evaluations.back();
    input.evaluation = fmt::format("{} held-out problems, {} completions", last.at("prompts").get<int64_t>(),
                                   last.at("samples").get<int64_t>());
    if (evaluations.size() > 1) input.before = outcome_of(first);
    input.after = outcome_of(last);
    input.samples = samples_of(evaluations.size() > 1 ? first : Json{{"examples", Json::array()}}, last);
  }
  for (const auto& [name, value] : input.versions) {
    if (name == "command") input.command = value;
  }
  metrics::write_report(run_folder / "report.html", input);
}

}  // namespace laconic::trainers

#include "laconic/trainers/evaluator.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/shaping.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/trainers/pass_rates.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;

// Of the prompts and answers: an output file is continued only with the data it was begun with.
std::string content_hash(const PromptSource& source) {
  TextHash hash;
  for (int64_t i = 0; i < source.evaluation_size(); ++i) {
    const auto prompt = source.evaluation_prompt(i);
    hash.add(prompt.text);
    hash.add(prompt.answer);
  }
  return hash.hex();
}

// Everything that decides the completions: a resumed file must have been written under the same.
Json fingerprint(const PromptSource& source, const EvalOptions& o) {
  return {{"evaluation", 1},
          {"prompts", source.evaluation_size()},
          {"samples_per_prompt", o.samples_per_prompt},
          {"temperature", o.sampling.temperature},
          {"top_p", o.sampling.top_p},
          {"top_k", o.sampling.top_k},
          {"min_p", o.sampling.min_p},
          {"max_tokens", o.max_tokens},
          {"stop", o.stop_strings},
          {"seed", o.seed},
          {"model", o.model_identity},
          {"verifier", o.verifier},
          {"data", content_hash(source)}};
}

// What the user's own rewards, and the share of tests or instructions where it is asked for, say of a sample; null
// where they say nothing. Empty where there are none.
Json reported_rewards(const Judge& judge, const algorithms::Sample& sample) {
  Json rewards = Json::object();
  std::vector<std::string> names;
  if (judge.external.rewards != nullptr) names = judge.external.rewards->names();
  if (std::find(judge.terms.begin(), judge.terms.end(), "tests_passed") != judge.terms.end())
    names.emplace_back("tests_passed");
  for (const auto& name : names) {
    const auto found = sample.named_rewards.find(name);
    rewards[name] = found == sample.named_rewards.end() ? Json(nullptr) : Json(found->second);
  }
  return rewards;
}

Json to_json(const Prompt& prompt, int64_t index, const algorithms::Group& group, const Judge& judge) {
  Json completions = Json::array();
  double right = 0;
  for (const auto& sample : group.samples) {
    right += algorithms::right_and_closed_once(sample);
    completions.push_back({{"text", judge.tokenizer->decode(sample.ids)},
                           {"tokens", sample.length},
                           {"correct", sample.verdict.correct},
                           {"format_ok", sample.verdict.format_ok},
                           {"answer_found", sample.verdict.answer_found},
                           {"answer", sample.verdict.answer},
                           {"thinking_tokens", sample.thinking_end ? Json(*sample.thinking_end) : Json(nullptr)},
                           {"finish_reason", sample.truncated ? "length" : "stop"}});
    if (auto rewards = reported_rewards(judge, sample); !rewards.empty())
      completions.back()["rewards"] = std::move(rewards);
  }
  const double pass_rate = group.samples.empty() ? 0.0 : right / static_cast<double>(group.samples.size());
  return {{"index", index},         {"id", prompt.id},
          {"prompt", prompt.text},  {"prompt_hash", prompt_hash(prompt)},
          {"gold", prompt.answer},  {"label", prompt.label},
          {"pass_rate", pass_rate}, {"completions", std::move(completions)}};
}

// "temperature 0.7, expected 1.0; ..." for every setting that differs.
std::string differences(const Json& found, const Json& expected) {
  std::string text;
  for (const auto& [key, value] : expected.items()) {
    const Json before = found.is_object() ? found.value(key, Json()) : Json();
    if (before != value)
      text += fmt::format("{}{} {}, expected {}", text.empty() ? "" : "; ", key, before.dump(), value.dump());
  }
  return text;
}

// Rows of an interrupted evaluation by problem; none of an empty file.
std::map<int64_t, Json> read_finished(const std::filesystem::path& path, const Json& expected) {
  std::map<int64_t, Json> finished;
  const auto content = metrics::read_jsonl(path);
  if (!content.note.empty()) log_warning("{}", content.note);
  if (content.rows.empty()) return finished;
  if (content.rows.front() != expected) {
    fail(ErrorKind::usage, "{} holds an evaluation under other settings: {}; remove it or choose another output folder",
         path.string(), differences(content.rows.front(), expected));
  }
  for (size_t i = 1; i < content.rows.size(); ++i)
    finished[content.rows[i].at("index").get<int64_t>()] = content.rows[i];
  return finished;
}

std::string all_lines(const Json& header, const std::map<int64_t, Json>& rows) {
  std::string text = metrics::json_line(header) + "\n";
  for (const auto& entry : rows) text += metrics::json_line(entry.second) + "\n";
  return text;
}

class Tally {
 public:
  void add(const Json& row) {
    ++report_.prompts;
    bool any = false;
    for (const auto& c : row.at("completions")) {
      const bool correct = c.at("correct");
      const double tokens = c.at("tokens");
      any |= correct;
      correct_.push_back(correct ? 1.0 : 0.0);
      tokens_.push_back(tokens);
      cluster_.push_back(report_.prompts);
      truncated_ += c.at("finish_reason") == "length";
      found_ += c.at("answer_found").get<bool>();
      format_ += c.at("format_ok").get<bool>();
      const bool at_once = c.at("thinking_tokens") == 0;
      no_thinking_ += at_once;
      if (c.contains("rewards")) add_rewards(c.at("rewards"));
      closed_ += !c.at("thinking_tokens").is_null();
      auto& part = report_.by_label[row.at("label")];
      ++part.samples;
      part.accuracy += correct;
      part.mean_tokens += tokens;
      part.no_thinking_share += at_once;
    }
    solved_ += any;
  }

  EvalReport finish() {
    const auto n = static_cast<double>(std::max<size_t>(1, correct_.size()));
    report_.samples = static_cast<int64_t>(correct_.size());
    report_.accuracy = metrics::clustered_mean_interval(correct_, cluster_);
    report_.mean_tokens = metrics::clustered_mean_interval(tokens_, cluster_);
    report_.accuracy.low = std::max(0.0, report_.accuracy.low);
    report_.accuracy.high = std::min(1.0, report_.accuracy.high);
    report_.pass_at_k = solved_ / static_cast<double>(std::max<int64_t>(1, report_.prompts));
    report_.truncated_share = truncated_ / n;
    report_.answer_found_share = found_ / n;
    report_.format_share = format_ / n;
    if (closed_ > 0) report_.no_thinking_share = no_thinking_ / n;
    for (const auto& [name, values] : rewards_) report_.rewards[name] = algorithms::mean_of(values);
    report_.by_label.erase("");
    for (auto& [label, part] : report_.by_label) {
      part.accuracy /= static_cast<double>(part.samples);
      part.mean_tokens /= static_cast<double>(part.samples);
      part.no_thinking_share /= static_cast<double>(part.samples);
    }
    return report_;
  }

 private:
  void add_rewards(const Json& rewards) {
    for (const auto& [name, value] : rewards.items()) {
      if (value.is_number()) rewards_[name].push_back(value.get<double>());
    }
  }

  EvalReport report_;
  std::vector<double> correct_, tokens_;
  std::map<std::string, std::vector<double>> rewards_;
  std::vector<int64_t> cluster_;
  double truncated_ = 0, found_ = 0, format_ = 0, solved_ = 0, no_thinking_ = 0, closed_ = 0;
};

std::map<std::string, int64_t> failures_of(const rewards::ExternalStatistics& statistics) {
  std::map<std::string, int64_t> failures;
  for (size_t i = 0; i < rewards::kFailureKinds; ++i) {
    if (statistics.failures[i] > 0)
      failures[rewards::to_string(static_cast<rewards::FailureKind>(i))] = statistics.failures[i];
  }
  if (statistics.dropped > 0) failures["dropped_groups"] = statistics.dropped;
  if (statistics.zeroed > 0) failures["zeroed_groups"] = statistics.zeroed;
  return failures;
}

EvalSample example_of(const Json& row) {
  const auto& c = row.at("completions").at(0);
  return {row.at("prompt"), c.at("text"),    c.at("answer"),
          row.at("gold"),   c.at("correct"), c.at("finish_reason") == "length",
          c.at("tokens")};
}

Json interval_json(const metrics::Interval& interval) {
  return {interval.low, interval.high};
}

}  // namespace

EvalReport evaluate(rollout::Engine& engine, const PromptSource& source, const Judge& judge,
                    const EvalOptions& options) {
  const Timer timer;
  const int64_t total = source.evaluation_size();
  if (total == 0) fail(ErrorKind::input, "there is nothing to evaluate: the data has no examples");
  const Json header = options.output ? fingerprint(source, options) : Json();
  std::map<int64_t, Json> rows;
  std::unique_ptr<metrics::JsonlWriter> writer;
  if (options.output) {
    // Held until the file is replaced: another evaluation that is still going on has its lock.
    const metrics::JsonlWriter held(*options.output, metrics::JsonlWriter::Mode::append);
    rows = read_finished(*options.output, header);
    // Written anew from the finished rows, so that an unfinished last line of a killed run is gone.
    write_file_atomic(*options.output, all_lines(header, rows));
    writer = std::make_unique<metrics::JsonlWriter>(*options.output, metrics::JsonlWriter::Mode::append);
  }
  const auto reused = static_cast<int64_t>(rows.size());

  algorithms::ObjectiveConfig plan;
  plan.group_size = options.samples_per_prompt;
  const algorithms::Objective plain(plan);
  CollectOptions collect_options;
  collect_options.sampling = options.sampling;
  collect_options.max_tokens = options.max_tokens;
  collect_options.stop_ids = options.stop_ids;
  collect_options.stop_strings = options.stop_strings;
  collect_options.seed = options.seed;
  collect_options.step = options.step;
  collect_options.communicator = options.communicator;

  std::vector<PlacedPrompt> prompts;
  for (int64_t index = 0; index < total; ++index) {
    if (!rows.contains(index)) prompts.push_back({source.evaluation_prompt(index), static_cast<uint64_t>(index)});
  }
  metrics::Progress progress(options.label, total, "problems");
  progress.update(reused);
  int64_t generated = 0;
  collect_options.window_samples = options.window_samples;
  collect_options.on_group = [&](size_t i, algorithms::Group& group) {
    const auto index = static_cast<int64_t>(prompts[i].position);
    for (const auto& sample : group.samples) generated += sample.length;
    const auto& row = rows[index] = to_json(prompts[i].prompt, index, group, judge);
    if (writer) writer->write(row);
    group = {};
    progress.update(static_cast<int64_t>(rows.size()));
  };
  CollectReport collected;
  collect(engine, plain, prompts, judge, collect_options, {}, collected);
  progress.finish();
  if (options.output && reused < total) {  // problems end in any order; the finished file has theirs
    writer.reset();
    write_file_atomic(*options.output, all_lines(header, rows));
  }

  Tally tally;
  for (const auto& entry : rows) tally.add(entry.second);
  EvalReport report = tally.finish();
  report.reused = reused;
  report.seconds = timer.seconds();
  report.generated_tokens = generated;
  report.reward_failures = failures_of(collected.external);
  // Spread over the set, so that every kind of problem shows.
  const auto count = std::min<int64_t>(options.keep_samples, static_cast<int64_t>(rows.size()));
  for (int64_t i = 0; i < count; ++i) {
    report.examples.push_back(example_of(std::next(rows.begin(), i * static_cast<int64_t>(rows.size()) / count +
                                                                     static_cast<int64_t>(rows.size()) / (2 * count))
                                             ->second));
  }
  return report;
}

Json EvalReport::to_json() const {
  Json parts = Json::object();
  for (const auto& [label, part] : by_label) {
    parts[label] = {{"accuracy", part.accuracy}, {"mean_tokens", part.mean_tokens}, {"samples", part.samples}};
    if (no_thinking_share) parts[label]["no_thinking_share"] = part.no_thinking_share;
  }
  Json json = {{"accuracy", accuracy.estimate},
               {"mean_tokens", mean_tokens.estimate},
               {"accuracy_interval_95", interval_json(accuracy)},
               {"mean_tokens_interval_95", interval_json(mean_tokens)},
               {"pass_at_k", pass_at_k},
               {"prompts", prompts},
               {"samples", samples},
               {"truncated_share", truncated_share},
               {"answer_found_share", answer_found_share},
               {"format_share", format_share}};
  if (no_thinking_share) json["no_thinking_share"] = *no_thinking_share;
  if (!rewards.empty()) json["rewards"] = rewards;
  if (!reward_failures.empty()) json["reward_failures"] = reward_failures;
  if (!parts.empty()) json["by_label"] = parts;
  return json;
}

std::string describe(const EvalReport& r) {
  std::string text = fmt::format(
      "accuracy {:.1f} % ({:.1f} to {:.1f}), mean tokens {:.1f} ({:.1f} to {:.1f}), truncated {:.1f} %, {} problems",
      100 * r.accuracy.estimate, 100 * r.accuracy.low, 100 * r.accuracy.high, r.mean_tokens.estimate, r.mean_tokens.low,
      r.mean_tokens.high, 100 * r.truncated_share, r.prompts);
  if (r.samples > r.prompts)
    text += fmt::format(" x {}, pass@{} {:.1f} %", r.samples / r.prompts, r.samples / r.prompts, 100 * r.pass_at_k);
  for (const auto& [name, mean] : r.rewards) text += fmt::format(", {} {:.3f}", name, mean);
  if (r.reward_failures.empty()) return text;
  std::vector<std::string> kinds;
  kinds.reserve(r.reward_failures.size());
  for (const auto& [kind, count] : r.reward_failures) kinds.push_back(fmt::format("{} {}", kind, count));
  return text + ", reward failures: " + join(kinds, ", ");
}

}  // namespace laconic::trainers

#include "laconic/trainers/outcome.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/core/base/strings.h"
#include "laconic/trainers/run_record.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;

std::string interval(const Json& row, const char* name, double factor, const char* unit) {
  const auto& bounds = row.at(std::string(name) + "_interval_95");
  const auto number = [&](const Json& value) {
    return value.is_number() ? factor * value.get<double>() : std::nan("");
  };
  return fmt::format("{:6.1f}{} ({:.1f} to {:.1f})", factor * row.at(name).get<double>(), unit, number(bounds.at(0)),
                     number(bounds.at(1)));
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  constexpr size_t kLongest = 400;
  if (text.size() <= kLongest) return text;
  // Cut between characters.
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

std::string answer_lines(const char* label, const Json& example) {
  return fmt::format("    {:7}{} ({}, {} tokens)\n", label, one_line(example.at("completion")),
                     example.at("correct").get<bool>() ? "right" : "wrong", example.at("tokens").get<int64_t>());
}

std::string samples(const Json& before, const Json& after) {
  std::string text;
  for (const auto& example : after.at("examples")) {
    text += fmt::format("  prompt   {}\n", one_line(example.at("prompt")));
    for (const auto& earlier : before.at("examples")) {
      if (earlier.at("prompt") == example.at("prompt")) text += answer_lines("before", earlier);
    }
    text += answer_lines("after", example);
  }
  return text;
}

}  // namespace

std::string describe_outcome(const std::filesystem::path& run_folder) {
  const auto rows = read_evaluations(run_folder);
  std::string text;
  if (rows.size() > 1) {
    const auto &before = rows.front(), &after = rows.back();
    text += fmt::format("\n{} held-out problems           before                    after (95 % intervals)\n",
                        after.at("prompts").get<int64_t>());
    text += fmt::format("  accuracy            {:26}{}\n", interval(before, "accuracy", 100.0, " %"),
                        interval(after, "accuracy", 100.0, " %"));
    text += fmt::format("  mean tokens         {:26}{}\n\n", interval(before, "mean_tokens", 1.0, ""),
                        interval(after, "mean_tokens", 1.0, ""));
    text += samples(before, after) + "\n";
    const double accuracy = 100.0 * (after.at("accuracy").get<double>() - before.at("accuracy").get<double>());
    const double tokens =
        100.0 * (after.at("mean_tokens").get<double>() / before.at("mean_tokens").get<double>() - 1.0);
    text += fmt::format("accuracy {:+.1f} points, tokens {:+.0f} %\n", accuracy, tokens);
  }
  return text + fmt::format("report {}\n", (run_folder / "report.html").string());
}

}  // namespace laconic::trainers

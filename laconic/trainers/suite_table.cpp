#include "laconic/trainers/suite_table.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "laconic/core/base/strings.h"

namespace laconic::trainers {
namespace {

std::string with_half_width(const SuiteEstimate& estimate, double factor) {
  const double half = factor * (estimate.both.high - estimate.mean);
  const std::string mean = fmt::format("{:.1f}", factor * estimate.mean);
  return std::isfinite(half) ? fmt::format("{} ± {:.1f}", mean, half) : mean;
}

// "98/95/91": a figure of each part.
std::string by_part(const SuiteRow& row, const char* format, const std::function<double(const SuitePart&)>& figure) {
  std::vector<std::string> cells;
  for (const auto& name : suite_parts(row))
    cells.push_back(fmt::format(fmt::runtime(format), figure(row.parts.at(name))));
  return cells.empty() ? "-" : join(cells, " / ");
}

// "91.5 at 21.0": what it had reached when so many training tokens were generated.
std::string at_equal_tokens(const SuiteRow& row, double thousands) {
  const auto* accuracy = find_curve(row, kHeldOutAccuracy);
  const auto* tokens = find_curve(row, kHeldOutTokens);
  if (accuracy == nullptr || tokens == nullptr) return "-";
  const double a = value_at(accuracy->by_tokens, thousands), t = value_at(tokens->by_tokens, thousands);
  return std::isfinite(a) && std::isfinite(t) ? fmt::format("{:.1f} at {:.1f}", 100 * a, t) : "-";
}

// With the number of seeds where some are missing.
std::string name_of(const SuiteRow& row, const SuiteBaseResult& result) {
  if (row.seeds == result.seeds) return row.method;
  return fmt::format("{} ({} of {} seeds)", row.method, row.seeds, result.seeds);
}

std::vector<std::string> cells_of(const SuiteRow& row, const SuiteBaseResult& result) {
  const bool base = row.method.empty();
  std::vector<std::string> cells = {
      base ? "base" : name_of(row, result),
      with_half_width(row.accuracy, 100),
      with_half_width(row.tokens, 1),
      base ? "1" : fmt::format("{:.2f}", row.tokens.mean / result.before.tokens.mean),
      by_part(row, "{:.0f}", [](const SuitePart& part) { return 100 * part.accuracy; }),
      by_part(row, "{:.0f}", [](const SuitePart& part) { return part.tokens; }),
      by_part(row, "{:.0f}", [](const SuitePart& part) { return 100 * part.no_thinking; })};
  const std::vector<std::string> training =
      base ? std::vector<std::string>{"-", "-", "-", "-"}
           : std::vector<std::string>{at_equal_tokens(row, result.equal_tokens), human_count(row.training_tokens),
                                      row.extra_tokens > 0 ? human_count(row.extra_tokens) : "0",
                                      fmt::format("{:.0f} s", row.seconds)};
  cells.insert(cells.end(), training.begin(), training.end());
  return cells;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  return "| " + join(cells, " | ") + " |\n";
}

}  // namespace

std::vector<std::string> suite_parts(const SuiteRow& row) {
  std::vector<std::string> names;
  for (const char* known : {"easy", "medium", "hard"}) {
    if (row.parts.contains(known)) names.emplace_back(known);
  }
  for (const auto& entry : row.parts) {
    if (std::find(names.begin(), names.end(), entry.first) == names.end()) names.push_back(entry.first);
  }
  return names;
}

SuiteTable suite_table(const SuiteBaseResult& result) {
  const auto parts = suite_parts(result.before);
  const std::string by = parts.empty() ? "" : " by " + join(parts, " / ");
  SuiteTable table;
  table.columns = {"method",
                   "accuracy %",
                   "tokens",
                   "tokens / base",
                   "accuracy %" + by,
                   "tokens" + by,
                   "no thinking %" + by,
                   fmt::format("accuracy % at tokens after {:.0f}k", result.equal_tokens),
                   "training tokens",
                   "extra tokens",
                   "time"};
  table.rows.push_back(cells_of(result.before, result));
  for (const auto& row : result.rows) table.rows.push_back(cells_of(row, result));
  return table;
}

std::string suite_measurement(const SuiteBaseResult& result) {
  return fmt::format(
      "Means over {} training seed{} and the held-out problems, ± half of a 95 % interval over both{}. \"After "
      "{:.0f}k\" "
      "compares at equal cost: held-out accuracy and mean tokens when so many training tokens had been generated. "
      "Extra "
      "tokens: sampled by monitor passes and for reference pass rates. Time: wall time of training on one thread.",
      result.seeds, result.seeds == 1 ? "" : "s", result.seeds == 1 ? " (one seed: over problems alone)" : "",
      result.equal_tokens);
}

std::string suite_markdown(const SuitePlan& plan, const SuiteResults& results) {
  std::string text = fmt::format("# {}\n", plan.settings.title);
  for (const auto& result : results.bases) {
    const auto table = suite_table(result);
    text += fmt::format("\n## Base `{}`\n\n", result.base);
    text += markdown_row(table.columns) + markdown_row(std::vector<std::string>(table.columns.size(), "---"));
    for (const auto& row : table.rows) text += markdown_row(row);
    text += "\n" + suite_measurement(result) + "\n";
  }
  if (!results.failures.empty()) text += fmt::format("\n{} failed:\n\n", results.failures.size());
  for (const auto& failure : results.failures) text += fmt::format("- {}: {}\n", failure.what, failure.reason);
  return text;
}

}  // namespace laconic::trainers

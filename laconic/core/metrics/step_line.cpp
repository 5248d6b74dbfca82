#include "laconic/core/metrics/step_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::metrics {
namespace {

// "2e-07" -> "2e-7", "1e+06" -> "1e6".
std::string short_exponent(std::string text) {
  const size_t e = text.find('e');
  if (e == std::string::npos) return text;
  std::string exponent = text.substr(e + 1);
  const bool negative = exponent.front() == '-';
  exponent.erase(0, exponent.find_first_not_of("+-0"));
  return text.substr(0, e) + "e" + (negative ? "-" : "") + (exponent.empty() ? "0" : exponent);
}

std::string parts_text(const StepColumn& column, const MetricRow& row, double whole) {
  std::vector<std::string> shares;
  for (const auto& [label, metric] : column.parts) {
    const auto part = row.number(metric);
    if (part && whole > 0.0) shares.push_back(fmt::format("{} {:.0f} %", label, 100.0 * *part / whole));
  }
  return shares.empty() ? "" : " (" + join(shares, ", ") + ")";
}

}  // namespace

std::string format_value(double value, ColumnFormat format) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  switch (format) {
    case ColumnFormat::fixed2:
      return std::fabs(value) < 1e5 ? fmt::format("{:.2f}", value) : short_exponent(fmt::format("{:.2e}", value));
    case ColumnFormat::fixed1:
      return std::fabs(value) < 1e6 ? fmt::format("{:.1f}", value) : short_exponent(fmt::format("{:.1e}", value));
    case ColumnFormat::percent:
      return fmt::format("{:.0f} %", 100.0 * value);
    case ColumnFormat::compact:
      if (value == 0.0) return "0";
      if (std::fabs(value) >= 1e-3 && std::fabs(value) < 1e4) return fmt::format("{:.3g}", value);
      return short_exponent(fmt::format("{:.1e}", value));
    case ColumnFormat::scientific:
      return value == 0.0 ? "0" : short_exponent(fmt::format("{:.0e}", value));
    case ColumnFormat::token_rate:
      return human_count(value) + " tok/s";
    case ColumnFormat::seconds:
      return human_duration(value);
  }
  return "?";
}

std::vector<StepColumn> default_step_columns() {
  using enum ColumnFormat;
  return {
      {"reward", "reward/mean", fixed2, {}},
      {"acc", "reward/accuracy", percent, {}},
      {"len", "completion/mean_tokens", fixed1, {}},
      {"kl", "kl/mean", compact, {}},
      {"ent", "entropy/mean", fixed2, {}},
      {"grad", "optim/grad_norm", fixed2, {}},
      {"gap", "mismatch/max", scientific, {}},
      {"reward failures", "reward/failures", compact, {}},
      {"grading", "time/reward_s", seconds, {}},
      {"", "throughput/tokens_per_s", token_rate, {}},
      {"", "time/step_s", seconds, {{"rollout", "time/rollout_s"}, {"train", "time/train_s"}}},
  };
}

StepLine::StepLine(int64_t total_steps, std::vector<StepColumn> columns, ConsoleStyle style)
    : total_steps_(total_steps), columns_(std::move(columns)), widths_(columns_.size(), -1), style_(style) {}

std::string StepLine::format(const MetricRow& row) {
  const std::string total = std::to_string(total_steps_);
  std::string line =
      styled(style_, "2", "step ") + fmt::format("{:>{}}", row.step(), total.size()) + styled(style_, "2", "/" + total);
  const std::string separator = styled(style_, "2", " | ");
  for (size_t i = 0; i < columns_.size(); ++i) {
    const StepColumn& column = columns_[i];
    const auto value = row.number(column.metric);
    if (!value && widths_[i] < 0) continue;
    std::string shown = value ? format_value(*value, column.format) : "-";
    widths_[i] = std::max(widths_[i], display_width(shown));
    shown = fmt::format("{:>{}}", shown, widths_[i]);
    if (value && !std::isfinite(*value)) shown = styled(style_, "31", shown);
    std::string cell = column.label.empty() ? shown : styled(style_, "2", column.label) + " " + shown;
    if (value) cell += styled(style_, "2", parts_text(column, row, *value));
    if (style_.terminal && display_width(line + separator + cell) > style_.width) break;
    line += separator + cell;
  }
  return line;
}

}  // namespace laconic::metrics

// One readable line per training step, its columns aligned from line to line:
//
//   step 12/80 | reward 0.71 | acc 83 % | len 41.2 | kl 0.003 | gap 2e-7 | 1.9k tok/s | 0.8 s (rollout 62 %, train 31
//   %)
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/metrics/console_style.h"
#include "laconic/core/metrics/row.h"

namespace laconic::metrics {

enum class ColumnFormat {
  fixed2,      // 0.71
  fixed1,      // 41.2
  percent,     // 0.83 -> 83 %
  compact,     // three significant digits: 0.003, 1.2e-5
  scientific,  // one digit: 2e-7
  token_rate,  // 1.9k tok/s
  seconds,     // 0.8 s
};

struct StepColumn {
  std::string label;   // before the value; may be empty
  std::string metric;  // the name in the row; a column that no row has held yet is left out
  ColumnFormat format = ColumnFormat::compact;
  // For a time: its parts, shown in parentheses as shares of it: {"rollout", "time/rollout_s"}.
  std::vector<std::pair<std::string, std::string>> parts;
};

// Reward, accuracy, length, KL, entropy, gradient norm, mismatch, the user's own rewards, speed and time, by the names
// that the trainers use: reward/mean, reward/accuracy, completion/mean_tokens, kl/mean, entropy/mean, optim/grad_norm,
// mismatch/max, reward/failures, time/reward_s (summed over workers), throughput/tokens_per_s, time/step_s
// with time/rollout_s and time/train_s.
std::vector<StepColumn> default_step_columns();

class StepLine {
 public:
  // In a terminal, columns that do not fit are dropped from the right.
  explicit StepLine(int64_t total_steps, std::vector<StepColumn> columns = default_step_columns(),
                    ConsoleStyle style = ConsoleStyle::of_standard_error());

  // Without a newline. The step is shown as the row has it: a loop that counts finished steps shows 1/80 to 80/80.
  // Columns grow with their widest value so far.
  std::string format(const MetricRow& row);

 private:
  int64_t total_steps_;
  std::vector<StepColumn> columns_;
  std::vector<int> widths_;  // of each column's value; -1: not seen yet
  ConsoleStyle style_;
};

// One value in a column's format; "NaN" and "inf" for non-finite ones.
std::string format_value(double value, ColumnFormat format);

}  // namespace laconic::metrics

#include "laconic/core/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace laconic::optim {

double Schedule::rate(int64_t step, int64_t total_steps) const {
  if (step < warmup_steps) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  if (kind == ScheduleKind::constant) return lr;
  const double span = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / span);
  if (progress <= hold) return lr;
  const double decayed = (progress - hold) / (1.0 - hold);
  const double shape =
      kind == ScheduleKind::linear ? 1.0 - decayed : 0.5 * (1.0 + std::cos(std::numbers::pi * decayed));
  return lr * (final_fraction + (1.0 - final_fraction) * shape);
}

}  // namespace laconic::optim

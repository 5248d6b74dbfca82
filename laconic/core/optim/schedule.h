// Learning-rate schedules as a pure function of the step.
#pragma once

#include <cstdint>

namespace laconic::optim {

enum class ScheduleKind { constant, linear, cosine };

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double lr = 1e-6;
  int64_t warmup_steps = 0;     // linear from lr / warmup_steps to lr
  double hold = 0.0;            // share of the steps after the warm-up spent at full lr before the decay begins
  double final_fraction = 0.0;  // linear, cosine: where the decay ends, as a fraction of lr

  // Rate of optimizer step `step` (0-based) of `total_steps`. Steps beyond the total keep the last rate.
  double rate(int64_t step, int64_t total_steps) const;
};

}  // namespace laconic::optim

// What a training step asks of an optimizer.
#pragma once

namespace laconic::optim {

struct StepReport {
  double grad_norm = 0.0;  // global 2-norm before clipping
  bool clipped = false;
  bool skipped = false;  // the gradient was not finite: weights and state are untouched
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Consumes the .grad() of every trained tensor (absent counts as zero) and clears them. lr >= 0.
  virtual StepReport step(double lr) = 0;
  // Clears the gradients without a step.
  virtual void discard() = 0;
};

}  // namespace laconic::optim

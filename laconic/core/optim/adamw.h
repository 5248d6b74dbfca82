// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), f32 state, optional f32 master copies of
// bf16 weights, global-norm clipping, and refusal of non-finite steps.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/optim/optimizer.h"

namespace laconic::optim {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  bool decay_norms_and_biases = false;  // matrices always decay
  double max_grad_norm = 1.0;           // 0 = no clipping
};

// A leaf tensor to be trained; `decays` is false for norms and biases.
struct TrainedTensor {
  std::string name;
  at::Tensor tensor;
  bool decays = true;
};

class AdamW final : public Optimizer {
 public:
  // Low-precision tensors get an f32 master copy, which is what is updated; the tensor receives its rounded value.
  AdamW(std::vector<TrainedTensor> tensors, AdamWOptions options);

  StepReport step(double lr) override { return step(lr, gradient_norm()); }
  // The same where the tensors are a part of what is trained: `grad_norm` is that of the whole gradient.
  StepReport step(double lr, double grad_norm);
  void discard() override;

  // 2-norm of the .grad() of all tensors.
  double gradient_norm() const;

  int64_t steps_taken() const { return steps_; }
  const AdamWOptions& options() const { return options_; }

  // Everything that a resumed run needs, by name: "<tensor>.exp_avg", ".exp_avg_sq", and ".master" where there is one.
  // f32.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  // Has `fill` write each entry of state(), by its name.
  void restore(const std::function<void(const std::string& name, const at::Tensor& values)>& fill, int64_t steps_taken);

  int64_t state_bytes() const;

 private:
  struct Slot {
    TrainedTensor trained;
    at::Tensor master;  // f32; the tensor itself where it is f32 already
    at::Tensor exp_avg;
    at::Tensor exp_avg_sq;
    at::Tensor step;  // f32 scalar, as the fused kernel wants it
    bool has_master = false;
  };
  void update(const std::vector<at::Tensor>& gradients, double lr, bool decaying);

  AdamWOptions options_;
  std::vector<Slot> slots_;
  int64_t steps_ = 0;
};

}  // namespace laconic::optim

#include "laconic/core/optim/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "laconic/core/base/error.h"

namespace laconic::optim {

AdamW::AdamW(std::vector<TrainedTensor> tensors, AdamWOptions options) : options_(options) {
  const at::NoGradGuard no_grad;
  for (auto& trained : tensors) {
    Slot slot;
    slot.has_master = trained.tensor.scalar_type() != at::kFloat;
    slot.master = slot.has_master ? trained.tensor.detach().to(at::kFloat, /*non_blocking=*/false, /*copy=*/true)
                                  : trained.tensor.detach();
    slot.exp_avg = at::zeros_like(slot.master, at::MemoryFormat::Contiguous);
    slot.exp_avg_sq = at::zeros_like(slot.master, at::MemoryFormat::Contiguous);
    slot.step = at::zeros({}, slot.master.options());
    slot.trained = std::move(trained);
    slots_.push_back(std::move(slot));
  }
}

double AdamW::gradient_norm() const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (const auto& slot : slots_) {
    const at::Tensor& gradient = slot.trained.tensor.grad();
    if (gradient.defined()) norms.push_back(gradient.to(at::kFloat).norm());
  }
  if (norms.empty()) fail(ErrorKind::internal, "an optimizer step without any gradient");
  return at::stack(norms).to(at::kDouble).norm().item<double>();
}

StepReport AdamW::step(double lr, double grad_norm) {
  const at::NoGradGuard no_grad;
  StepReport report;
  report.grad_norm = grad_norm;
  if (!std::isfinite(report.grad_norm)) {
    report.skipped = true;
    discard();
    return report;
  }
  std::vector<at::Tensor> gradients;
  for (const auto& slot : slots_) {
    at::Tensor gradient = slot.trained.tensor.grad();
    if (gradient.defined() && gradient.scalar_type() != at::kFloat) gradient = gradient.to(at::kFloat);
    gradients.push_back(std::move(gradient));
  }
  if (options_.max_grad_norm > 0 && report.grad_norm > options_.max_grad_norm) {
    report.clipped = true;
    const double factor = options_.max_grad_norm / (report.grad_norm + 1e-6);
    for (auto& gradient : gradients) {
      if (gradient.defined()) gradient.mul_(factor);
    }
  }
  ++steps_;
  update(gradients, lr, /*decaying=*/true);
  update(gradients, lr, /*decaying=*/false);
  discard();
  return report;
}

void AdamW::discard() {
  for (auto& slot : slots_) slot.trained.tensor.mutable_grad().reset();
}

void AdamW::update(const std::vector<at::Tensor>& gradients, double lr, bool decaying) {
  std::vector<at::Tensor> weights, grads, averages, squares, steps;
  for (size_t i = 0; i < slots_.size(); ++i) {
    auto& slot = slots_[i];
    const bool decays = slot.trained.decays || options_.decay_norms_and_biases;
    if (decays != decaying) continue;
    weights.push_back(slot.master);
    grads.push_back(gradients[i].defined() ? gradients[i].contiguous() : at::zeros_like(slot.master));
    averages.push_back(slot.exp_avg);
    squares.push_back(slot.exp_avg_sq);
    slot.step.add_(1.0);
    steps.push_back(slot.step);
  }
  if (weights.empty()) return;
  at::_fused_adamw_(weights, grads, averages, squares, /*max_exp_avg_sqs=*/{}, steps, lr, options_.beta1,
                    options_.beta2, decaying ? options_.weight_decay : 0.0, options_.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false);
  for (auto& slot : slots_) {
    const bool decays = slot.trained.decays || options_.decay_norms_and_biases;
    if (slot.has_master && decays == decaying) slot.trained.tensor.copy_(slot.master);
  }
}

std::vector<std::pair<std::string, at::Tensor>> AdamW::state() const {
  std::vector<std::pair<std::string, at::Tensor>> entries;
  for (const auto& slot : slots_) {
    entries.emplace_back(slot.trained.name + ".exp_avg", slot.exp_avg);
    entries.emplace_back(slot.trained.name + ".exp_avg_sq", slot.exp_avg_sq);
    if (slot.has_master) entries.emplace_back(slot.trained.name + ".master", slot.master);
  }
  return entries;
}

void AdamW::restore(const std::function<void(const std::string& name, const at::Tensor& values)>& fill,
                    int64_t steps_taken) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, values] : state()) fill(name, values);
  for (auto& slot : slots_) {
    slot.step.fill_(static_cast<double>(steps_taken));
    if (slot.has_master) slot.trained.tensor.copy_(slot.master);
  }
  steps_ = steps_taken;
}

int64_t AdamW::state_bytes() const {
  int64_t bytes = 0;
  for (const auto& entry : state()) bytes += entry.second.nbytes();
  return bytes;
}

}  // namespace laconic::optim

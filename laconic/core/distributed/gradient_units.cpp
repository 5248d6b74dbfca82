#include "laconic/core/distributed/gradient_units.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::distributed {

GradientUnits::GradientUnits(std::vector<TensorUnit> units, std::vector<at::Tensor> tensors, Communicator& communicator,
                             Shard shard, at::ScalarType reduction)
    : units_(std::move(units)),
      tensors_(std::move(tensors)),
      communicator_(communicator),
      shard_(shard),
      reduction_(reduction),
      states_(units_.size()) {}

void GradientUnits::prepare(size_t unit) {
  auto& state = states_[unit];
  if (state.buffer.defined()) return;
  const at::NoGradGuard no_grad;
  const auto& [indices, flat] = units_[unit];
  state.buffer = at::zeros({flat.padded()}, tensors_[indices.front()].options().dtype(at::kFloat).requires_grad(false));
  int64_t at = 0;
  for (const size_t i : indices) {
    const auto& tensor = tensors_[i];
    auto view = state.buffer.narrow(0, at, tensor.numel()).view(tensor.sizes());
    if (tensor.grad().defined()) view.copy_(tensor.grad());
    tensor.mutable_grad() = std::move(view);
    at += tensor.numel();
  }
}

void GradientUnits::complete(size_t unit) {
  if (due()) send(unit);
}

void GradientUnits::send(size_t unit) {
  const at::NoGradGuard no_grad;
  auto& state = states_[unit];
  prepare(unit);
  receive();  // has had the time of a layer; two on their way would need twice the memory
  auto payload = state.buffer.to(reduction_);
  state.sent = true;
  if (keeps_parts()) {
    clear_gradients(unit);
    auto received = at::empty({units_[unit].flat.shard()}, payload.options());
    auto pending = communicator_.reduce_scatter(payload, received);
    in_flight_.emplace(InFlight{unit, std::move(payload), std::move(received), std::move(pending)});
  } else {
    auto pending = communicator_.all_reduce(payload);
    in_flight_.emplace(InFlight{unit, std::move(payload), {}, std::move(pending)});
  }
}

void GradientUnits::receive() {
  if (!in_flight_) return;
  const at::NoGradGuard no_grad;
  auto arrived = std::exchange(in_flight_, std::nullopt);
  arrived->pending.wait();
  auto& state = states_[arrived->unit];
  if (!keeps_parts()) {
    if (!arrived->payload.is_same(state.buffer)) state.buffer.copy_(arrived->payload);
  } else if (state.sums.defined()) {
    state.sums.add_(arrived->received);
  } else {
    state.sums = arrived->received.to(at::kFloat);
  }
}

void GradientUnits::finish() {
  for (size_t unit = units_.size(); unit-- > 0;) {
    if (!states_[unit].sent) send(unit);
    LACONIC_CHECK(!keeps_parts() || !states_[unit].buffer.defined(), "unit {} has a gradient that did not travel",
                  unit);
  }
  receive();
  last_pass_ = false;
}

void GradientUnits::clear_gradients(size_t unit) {
  for (const size_t i : units_[unit].tensors) tensors_[i].mutable_grad().reset();
  states_[unit].buffer.reset();
}

void GradientUnits::discard() {
  receive();
  for (size_t unit = 0; unit < units_.size(); ++unit) {
    clear_gradients(unit);
    states_[unit] = {};
  }
  last_pass_ = false;
}

}  // namespace laconic::distributed

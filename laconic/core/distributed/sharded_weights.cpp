#include "laconic/core/distributed/sharded_weights.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/weight_check.h"

namespace laconic::distributed {
namespace {

using model::Pass;

void give_memory(const at::Tensor& tensor) {
  auto* storage = tensor.storage().unsafeGetStorageImpl();
  const auto bytes = static_cast<size_t>(tensor.numel()) * tensor.element_size();
  storage->set_data_ptr_noswap(storage->allocator()->allocate(bytes));
  storage->set_nbytes(bytes);
}

void take_memory(const at::Tensor& tensor) {
  auto* storage = tensor.storage().unsafeGetStorageImpl();
  storage->set_data_ptr_noswap(at::DataPtr(nullptr, tensor.device()));
  storage->set_nbytes(0);
}

bool has_head(const NamedTensors& weights) {
  return std::any_of(weights.begin(), weights.end(), [](const auto& entry) { return entry.first == "lm_head.weight"; });
}

}  // namespace

ShardedWeights::ShardedWeights(NamedTensors weights, Communicator& communicator)
    : weights_(std::move(weights)), communicator_(communicator), tied_(!has_head(weights_)) {
  const at::NoGradGuard no_grad;
  remember_given();
  for (auto& layout : make_units(weights_, communicator.world_size())) {
    Unit unit{std::move(layout), {}, {}, std::nullopt, false};
    const auto options = weights_[unit.layout.tensors.front()].second.options().requires_grad(false);
    unit.whole = at::zeros({unit.layout.flat.padded()}, options);
    unit.part = at::empty({unit.layout.flat.shard()}, options);
    int64_t at = 0;
    for (const size_t i : unit.layout.tensors) {
      at::Tensor tensor = weights_[i].second;
      const auto view = unit.whole.narrow(0, at, tensor.numel()).view(tensor.sizes());
      view.copy_(tensor);
      tensor.set_data(view);
      at += tensor.numel();
    }
    keep_part(unit);
    units_.push_back(std::move(unit));
  }
}

void ShardedWeights::keep_part(Unit& unit) {
  unit.part.copy_(unit.whole.narrow(0, communicator_.rank() * unit.part.numel(), unit.part.numel()));
  take_memory(unit.whole);
  unit.there = false;
}

void ShardedWeights::gather(int64_t unit) {
  auto& u = of(unit);
  if (u.there || u.gathering) return;
  give_memory(u.whole);
  u.gathering.emplace(communicator_.all_gather(u.part, u.whole));
}

void ShardedWeights::bring(int64_t unit) {
  auto& u = of(unit);
  if (u.there) return;
  gather(unit);
  std::exchange(u.gathering, std::nullopt)->wait();
  u.there = true;
}

void ShardedWeights::give_up(int64_t unit) {
  auto& u = of(unit);
  if (holds_ > 0) return;
  if (u.gathering) bring(unit);
  if (!u.there) return;
  take_memory(u.whole);
  u.there = false;
}

void ShardedWeights::acquire(int64_t unit, Pass pass) {
  if (pass == Pass::backward && unit == 0) return;  // adds to the gradient and reads no weights
  if (uneven_ && !is_layer(unit)) return;           // there for all passes
  if (uneven_ && unit == 1) {
    const bool anyone = any_rank(communicator_, true);
    LACONIC_CHECK(anyone, "no rank wants the pass that this rank makes");
  }
  bring(unit);
  if (unit == last() && tied_) bring(0);
  const int64_t next = pass == Pass::backward ? unit - 1 : unit + 1;
  if (is_layer(next) || (next == last() && pass != Pass::backward)) gather(next);
}

void ShardedWeights::release(int64_t unit, Pass pass) {
  if (uneven_ && !is_layer(unit)) return;
  if (unit == 0) {
    if (!tied_ && pass != Pass::backward) give_up(0);
  } else if (unit < last()) {
    give_up(unit);
  } else if (pass != Pass::forward) {
    give_up(unit);
    if (tied_) give_up(0);
  }
}

void ShardedWeights::begin_uneven_passes() {
  if (holds_ > 0) return;
  bring(0);
  bring(last());
  uneven_ = true;
}

void ShardedWeights::end_uneven_passes() {
  if (!uneven_) return;
  while (any_rank(communicator_, false)) {
    // Goes along with a pass of another rank.
    for (int64_t unit = 1; unit < last(); ++unit) {
      bring(unit);
      gather(unit + 1);
      give_up(unit);
    }
  }
  uneven_ = false;
  give_up(0);
  give_up(last());
}

void ShardedWeights::hold() {
  LACONIC_CHECK(!uneven_, "the weights are wanted whole in the middle of uneven passes");
  for (int64_t unit = 0; unit <= last(); ++unit) gather(unit);
  for (int64_t unit = 0; unit <= last(); ++unit) bring(unit);
  ++holds_;
}

void ShardedWeights::let_go() {
  if (--holds_ > 0) return;
  for (int64_t unit = 0; unit <= last(); ++unit) give_up(unit);
}

void ShardedWeights::expire() {
  LACONIC_CHECK(holds_ == 0 && !uneven_, "the weights change while they are held");
  for (int64_t unit = 0; unit <= last(); ++unit) give_up(unit);
}

void ShardedWeights::read(const optim::TensorSource& source) {
  const at::NoGradGuard no_grad;
  expire();
  for (const auto& unit : units_) {
    for (const auto& piece : unit.layout.flat.pieces(communicator_.rank())) {
      source.read(weights_[unit.layout.tensors[piece.tensor]].first, piece.begin,
                  unit.part.narrow(0, piece.offset, piece.size));
    }
  }
  given_.clear();
}

void ShardedWeights::remember_given() {
  given_ = weight_checksums(weights_);
}

void ShardedWeights::check(const std::string& when) {
  if (!given_.empty()) check_same_checksums(communicator_, weights_, std::exchange(given_, {}), when);
}

}  // namespace laconic::distributed

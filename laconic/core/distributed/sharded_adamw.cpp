#include "laconic/core/distributed/sharded_adamw.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/bytes.h"

namespace laconic::distributed {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

std::vector<std::string> names_of(const std::vector<optim::TrainedTensor>& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const auto& trained : tensors) names.push_back(trained.name);
  return names;
}

// The state's entries of one trained tensor.
std::vector<std::string> state_kinds(bool has_master) {
  std::vector<std::string> kinds = {".exp_avg", ".exp_avg_sq"};
  if (has_master) kinds.emplace_back(".master");
  return kinds;
}

bool has_master(const optim::TrainedTensor& trained) {
  return trained.tensor.scalar_type() != at::kFloat;
}

}  // namespace

ShardedAdamW::ShardedAdamW(std::vector<optim::TrainedTensor> tensors, const optim::AdamWOptions& options,
                           Communicator& communicator, Shard shard, at::ScalarType reduction)
    : communicator_(communicator),
      shard_(shard),
      reduction_(reduction),
      tensors_(std::move(tensors)),
      adamw_(own_parts(), options) {}

// Lays the tensors into units; what the optimizer works on are whole tensors, or this rank's parts of them.
std::vector<optim::TrainedTensor> ShardedAdamW::own_parts() {
  if (communicator_.alone()) return tensors_;
  for (const auto& indices : layer_units(names_of(tensors_))) {
    std::vector<int64_t> sizes;
    for (const size_t i : indices) {
      LACONIC_CHECK(tensors_[i].tensor.is_contiguous(), "{} is not contiguous", tensors_[i].name);
      sizes.push_back(tensors_[i].tensor.numel());
    }
    Unit unit{indices, FlatUnit(sizes, communicator_.world_size()), {}, {}};
    unit.pieces = unit.flat.pieces(communicator_.rank());
    units_.push_back(std::move(unit));
  }
  if (!sharded()) return tensors_;
  std::vector<optim::TrainedTensor> own;
  for (auto& unit : units_) {
    for (const auto& piece : unit.pieces) {
      const auto& whole = tensors_[unit.tensors[piece.tensor]];
      unit.parts.push_back(whole.tensor.detach().view({-1}).narrow(0, piece.begin, piece.size));
      own.push_back({whole.name, unit.parts.back(), whole.decays});
    }
  }
  return own;
}

std::vector<at::Tensor> ShardedAdamW::weights_of(const Unit& unit) const {
  std::vector<at::Tensor> weights;
  for (const size_t i : unit.tensors) weights.push_back(tensors_[i].tensor.detach());
  return weights;
}

optim::StepReport ShardedAdamW::step(double lr) {
  const at::NoGradGuard no_grad;
  if (communicator_.alone()) return adamw_.step(lr);
  if (!sharded()) {
    all_reduce_gradients();
    return adamw_.step(lr);
  }
  reduce_to_parts();
  const auto report = adamw_.step(lr, norm_of_parts());
  if (!report.skipped) gather_weights();
  return report;
}

void ShardedAdamW::discard() {
  for (auto& trained : tensors_) trained.tensor.mutable_grad().reset();
  adamw_.discard();
}

at::Tensor ShardedAdamW::packed_gradient(const Unit& unit) const {
  std::vector<at::Tensor> gradients;
  for (const size_t i : unit.tensors) gradients.push_back(tensors_[i].tensor.grad());
  return unit.flat.pack(gradients, reduction_);
}

void ShardedAdamW::all_reduce_gradients() {
  struct InFlight {
    at::Tensor flat;
    Pending pending;
  };
  std::optional<InFlight> previous;
  const Unit* previous_unit = nullptr;
  const auto finish = [&] {
    if (!previous) return;
    previous->pending.wait();
    const auto sum = previous->flat.to(at::kFloat);
    int64_t at = 0;
    for (const size_t i : previous_unit->tensors) {
      const auto& tensor = tensors_[i].tensor;
      tensor.mutable_grad() = sum.narrow(0, at, tensor.numel()).view(tensor.sizes());
      at += tensor.numel();
    }
  };
  for (const auto& unit : units_) {
    auto flat = packed_gradient(unit);
    auto pending = communicator_.all_reduce(flat);
    finish();
    previous.emplace(InFlight{std::move(flat), std::move(pending)});
    previous_unit = &unit;
  }
  finish();
}

void ShardedAdamW::reduce_to_parts() {
  struct InFlight {
    at::Tensor flat, shard;
    Pending pending;
  };
  std::optional<InFlight> previous;
  const Unit* previous_unit = nullptr;
  const auto finish = [&] {
    if (!previous) return;
    previous->pending.wait();
    const auto sum = previous->shard.to(at::kFloat);
    for (size_t p = 0; p < previous_unit->pieces.size(); ++p) {
      const auto& piece = previous_unit->pieces[p];
      previous_unit->parts[p].mutable_grad() = sum.narrow(0, piece.offset, piece.size);
    }
  };
  for (const auto& unit : units_) {
    auto flat = packed_gradient(unit);
    for (const size_t i : unit.tensors) tensors_[i].tensor.mutable_grad().reset();
    auto shard = at::empty({unit.flat.shard()}, reduction_);
    auto pending = communicator_.reduce_scatter(flat, shard);
    finish();
    previous.emplace(InFlight{std::move(flat), std::move(shard), std::move(pending)});
    previous_unit = &unit;
  }
  finish();
}

double ShardedAdamW::norm_of_parts() const {
  double squares = 0;
  for (const auto& unit : units_) {
    for (const auto& part : unit.parts) {
      const auto norm = part.grad().norm().item<double>();
      squares += norm * norm;
    }
  }
  return std::sqrt(sum_over_ranks(communicator_, {squares}).front());
}

void ShardedAdamW::gather_weights() {
  for (const auto& unit : units_) {
    const auto weights = weights_of(unit);
    const auto type = weights.front().scalar_type();
    const auto shard = at::zeros({unit.flat.shard()}, type), all = at::empty({unit.flat.padded()}, type);
    for (size_t p = 0; p < unit.pieces.size(); ++p)
      shard.narrow(0, unit.pieces[p].offset, unit.pieces[p].size).copy_(unit.parts[p]);
    communicator_.all_gather(shard, all).wait();
    unit.flat.unpack(all, weights);
  }
}

std::vector<at::Tensor> ShardedAdamW::gather_state(const Unit& unit, const std::vector<at::Tensor>& parts) {
  const auto shard = at::zeros({unit.flat.shard()}, at::kFloat), all = at::empty({unit.flat.padded()}, at::kFloat);
  for (size_t p = 0; p < unit.pieces.size(); ++p)
    shard.narrow(0, unit.pieces[p].offset, unit.pieces[p].size).copy_(parts[p]);
  communicator_.all_gather(shard, all).wait();
  if (!communicator_.first()) return {};
  std::vector<at::Tensor> whole;
  for (const size_t i : unit.tensors) whole.push_back(at::empty(tensors_[i].tensor.sizes(), at::kFloat));
  unit.flat.unpack(all, whole);
  return whole;
}

NamedTensors ShardedAdamW::state() {
  const at::NoGradGuard no_grad;
  if (!sharded()) return communicator_.first() ? adamw_.state() : NamedTensors();
  const auto entries = adamw_.state();
  const std::map<std::string, at::Tensor> own(entries.begin(), entries.end());
  std::map<std::string, at::Tensor> whole;
  for (const auto& unit : units_) {
    for (const auto& kind : state_kinds(has_master(tensors_[unit.tensors.front()]))) {
      std::vector<at::Tensor> parts;
      for (const auto& piece : unit.pieces) parts.push_back(own.at(tensors_[unit.tensors[piece.tensor]].name + kind));
      const auto tensors = gather_state(unit, parts);
      for (size_t i = 0; i < tensors.size(); ++i) whole[tensors_[unit.tensors[i]].name + kind] = tensors[i];
    }
  }
  NamedTensors state;  // in the order of optim::AdamW::state()
  if (!communicator_.first()) return state;
  for (const auto& trained : tensors_) {
    for (const auto& kind : state_kinds(has_master(trained)))
      state.emplace_back(trained.name + kind, whole.at(trained.name + kind));
  }
  return state;
}

void ShardedAdamW::restore(const NamedTensors& state, int64_t steps_taken) {
  if (!sharded()) return adamw_.restore(state, steps_taken);
  std::map<std::string, at::Tensor> given(state.begin(), state.end());
  NamedTensors own;
  for (const auto& unit : units_) {
    for (const auto& piece : unit.pieces) {
      const auto& trained = tensors_[unit.tensors[piece.tensor]];
      for (const auto& kind : state_kinds(has_master(trained))) {
        const auto found = given.find(trained.name + kind);
        if (found == given.end()) fail(ErrorKind::input, "the optimizer state lacks {}", trained.name + kind);
        if (found->second.sizes() != trained.tensor.sizes()) {
          fail(ErrorKind::input, "the optimizer state {} has {} values, expected {}", trained.name + kind,
               found->second.numel(), trained.tensor.numel());
        }
        own.emplace_back(trained.name + kind, found->second.reshape({-1}).narrow(0, piece.begin, piece.size));
      }
    }
  }
  adamw_.restore(own, steps_taken);
  gather_weights();  // a master copy of another rank decides its part of the weights
}

}  // namespace laconic::distributed

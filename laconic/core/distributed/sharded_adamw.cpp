#include "laconic/core/distributed/sharded_adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/weight_check.h"

namespace laconic::distributed {
namespace {

// The state's entries of one trained tensor.
std::vector<std::string> state_kinds(bool has_master) {
  std::vector<std::string> kinds = {".exp_avg", ".exp_avg_sq"};
  if (has_master) kinds.emplace_back(".master");
  return kinds;
}

bool has_master(const optim::TrainedTensor& trained) {
  return trained.tensor.scalar_type() != at::kFloat;
}

bool is_tied(const std::vector<optim::TrainedTensor>& tensors) {
  return std::none_of(tensors.begin(), tensors.end(), [](const auto& t) { return t.name == "lm_head.weight"; });
}

}  // namespace

ShardedAdamW::ShardedAdamW(std::vector<optim::TrainedTensor> tensors, const optim::AdamWOptions& options,
                           Communicator& communicator, Shard shard, at::ScalarType reduction)
    : communicator_(communicator),
      shard_(shard),
      tensors_(std::move(tensors)),
      tied_(is_tied(tensors_)),
      weights_(shard == Shard::parameters && !communicator.alone()
                   ? std::make_unique<ShardedWeights>(named_weights(), communicator)
                   : nullptr),
      adamw_(own_parts(), options) {
  if (communicator.alone()) return;
  std::vector<at::Tensor> all;
  for (const auto& trained : tensors_) all.push_back(trained.tensor);
  gradients_ = std::make_unique<GradientUnits>(make_units(named_weights(), communicator.world_size()), std::move(all),
                                               communicator, shard, reduction);
}

NamedTensors ShardedAdamW::named_weights() const {
  NamedTensors named;
  for (const auto& trained : tensors_) named.emplace_back(trained.name, trained.tensor);
  return named;
}

// What the optimizer works on: whole tensors, or this rank's parts of them.
std::vector<optim::TrainedTensor> ShardedAdamW::own_parts() {
  if (!divided()) return tensors_;
  std::vector<optim::TrainedTensor> own;
  for (auto& layout : make_units(named_weights(), communicator_.world_size())) {
    Unit unit{std::move(layout), {}, {}};
    unit.pieces = unit.layout.flat.pieces(communicator_.rank());
    for (const auto& piece : unit.pieces) {
      const auto& whole = tensors_[unit.layout.tensors[piece.tensor]];
      unit.parts.push_back(weights_ ? weights_->part(units_.size()).narrow(0, piece.offset, piece.size)
                                    : whole.tensor.detach().view({-1}).narrow(0, piece.begin, piece.size));
      own.push_back({whole.name, unit.parts.back(), whole.decays});
    }
    units_.push_back(std::move(unit));
  }
  return own;
}

void ShardedAdamW::acquire(int64_t unit, model::Pass pass) {
  if (weights_) weights_->acquire(unit, pass);
  if (!gradients_ || pass != model::Pass::backward) return;
  gradients_->prepare(static_cast<size_t>(unit));
  if (tied_ && unit > 0) gradients_->prepare(0);  // the head adds to it first
}

void ShardedAdamW::release(int64_t unit, model::Pass pass) {
  if (weights_) weights_->release(unit, pass);
  if (gradients_ && pass == model::Pass::backward) gradients_->complete(static_cast<size_t>(unit));
}

void ShardedAdamW::begin_uneven_passes() {
  if (weights_) weights_->begin_uneven_passes();
}

void ShardedAdamW::end_uneven_passes() {
  if (weights_) weights_->end_uneven_passes();
}

void ShardedAdamW::expect_last_pass() {
  if (gradients_) gradients_->expect_last_pass();
}

optim::StepReport ShardedAdamW::step(double lr) {
  const at::NoGradGuard no_grad;
  if (communicator_.alone()) return adamw_.step(lr);
  gradients_->finish();
  if (weights_) weights_->expire();
  optim::StepReport report;
  if (divided()) {
    take_sums();
    report = adamw_.step(lr, norm_of_parts());
  } else {
    report = adamw_.step(lr, agreed_norm());
  }
  gradients_->discard();
  if (divided() && !weights_ && !report.skipped) gather_weights();
  return report;
}

void ShardedAdamW::discard() {
  if (gradients_) gradients_->discard();
  adamw_.discard();
}

void ShardedAdamW::take_sums() {
  for (size_t u = 0; u < units_.size(); ++u) {
    for (size_t p = 0; p < units_[u].pieces.size(); ++p) {
      const auto& piece = units_[u].pieces[p];
      units_[u].parts[p].mutable_grad() = gradients_->sums(u).narrow(0, piece.offset, piece.size);
    }
  }
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

double ShardedAdamW::agreed_norm() const {
  constexpr double kRounding = 1e-4;
  const auto norms = all_gather_values(communicator_, {adamw_.gradient_norm()});
  const double agreed = norms.front().front();
  std::vector<std::string> others;
  for (size_t r = 1; r < norms.size(); ++r) {
    const double theirs = norms[r].front();
    const bool same = std::isfinite(agreed) && std::isfinite(theirs)
                          ? std::abs(theirs - agreed) <= kRounding * std::max(theirs, agreed)
                          : std::isfinite(agreed) == std::isfinite(theirs);
    if (!same) others.push_back(fmt::format("{:.6g} on rank {}", theirs, r));
  }
  if (others.empty()) return agreed;
  fail(ErrorKind::numeric,
       "rank {} of {}: the ranks have added up different gradients: their norm is {:.6g} on rank 0, but {}: a message "
       "has changed on its way, or a processor or a memory is broken",
       communicator_.rank(), communicator_.world_size(), agreed, join(others, ", "));
}

// New weights to every rank: one unit is on its way while the one before is unpacked.
void ShardedAdamW::gather_weights() {
  struct InFlight {
    const TensorUnit* layout;
    at::Tensor shard, all;
    Pending pending;
  };
  std::optional<InFlight> previous;
  const auto finish = [&] {
    if (!previous) return;
    previous->pending.wait();
    std::vector<at::Tensor> weights;
    for (const size_t i : previous->layout->tensors) weights.push_back(tensors_[i].tensor.detach());
    previous->layout->flat.unpack(previous->all, weights);
  };
  for (const auto& unit : units_) {
    const auto options = tensors_[unit.layout.tensors.front()].tensor.options().requires_grad(false);
    auto shard = at::zeros({unit.layout.flat.shard()}, options), all = at::empty({unit.layout.flat.padded()}, options);
    for (size_t p = 0; p < unit.pieces.size(); ++p)
      shard.narrow(0, unit.pieces[p].offset, unit.pieces[p].size).copy_(unit.parts[p]);
    auto pending = communicator_.all_gather(shard, all);
    finish();
    previous.emplace(InFlight{&unit.layout, std::move(shard), std::move(all), std::move(pending)});
  }
  finish();
}

void ShardedAdamW::check_weights(const std::string& when) {
  weights_ ? weights_->check(when) : check_same_weights(communicator_, named_weights(), when);
}

optim::TensorParts ShardedAdamW::weight_parts() const {
  optim::TensorParts parts;
  if (!divided()) {
    if (!communicator_.first()) return parts;
    for (const auto& trained : tensors_) parts.emplace_back(trained.name, trained.tensor.detach());
    return parts;
  }
  for (const auto& unit : units_) {
    for (size_t p = 0; p < unit.pieces.size(); ++p) {
      const auto& whole = tensors_[unit.layout.tensors[unit.pieces[p].tensor]];
      parts.emplace_back(whole.name, unit.parts[p].detach(), whole.tensor.sizes().vec(), unit.pieces[p].begin);
    }
  }
  return parts;
}

optim::TensorParts ShardedAdamW::state_parts() const {
  optim::TensorParts parts;
  const auto entries = adamw_.state();
  if (!divided()) {
    if (!communicator_.first()) return parts;
    for (const auto& [name, values] : entries) parts.emplace_back(name, values);
    return parts;
  }
  const std::map<std::string, at::Tensor> own(entries.begin(), entries.end());
  for_own_pieces([&](const optim::TrainedTensor& whole, const FlatUnit::Piece& piece) {
    for (const auto& kind : state_kinds(has_master(whole)))
      parts.emplace_back(whole.name + kind, own.at(whole.name + kind), whole.tensor.sizes().vec(), piece.begin);
  });
  return parts;
}

// A tensor has one piece on a rank at most.
void ShardedAdamW::for_own_pieces(
    const std::function<void(const optim::TrainedTensor&, const FlatUnit::Piece&)>& body) const {
  for (const auto& unit : units_) {
    for (const auto& piece : unit.pieces) body(tensors_[unit.layout.tensors[piece.tensor]], piece);
  }
}

void ShardedAdamW::restore_weights(const optim::TensorSource& weights) {
  const at::NoGradGuard no_grad;
  std::vector<optim::ExpectedTensor> expected;
  expected.reserve(tensors_.size());
  for (const auto& trained : tensors_)
    expected.push_back({trained.name, trained.tensor.sizes().vec(), trained.tensor.scalar_type()});
  optim::check_holds(weights, expected, "weights");
  if (weights_) return weights_->read(weights);
  for (const auto& trained : tensors_) weights.read(trained.name, 0, trained.tensor.detach().view({-1}));
}

void ShardedAdamW::restore_state(const optim::TensorSource& state, int64_t steps_taken) {
  std::vector<optim::ExpectedTensor> expected;
  for (const auto& trained : tensors_) {
    for (const auto& kind : state_kinds(has_master(trained)))
      expected.push_back({trained.name + kind, trained.tensor.sizes().vec(), at::kFloat});
  }
  optim::check_holds(state, expected, "optimizer's tensors");
  std::map<std::string, int64_t> begins;
  for_own_pieces([&](const optim::TrainedTensor& whole, const FlatUnit::Piece& piece) {
    for (const auto& kind : state_kinds(has_master(whole))) begins[whole.name + kind] = piece.begin;
  });
  adamw_.restore(
      [&](const std::string& name, const at::Tensor& values) {
        state.read(name, divided() ? begins.at(name) : 0, values.view({-1}));
      },
      steps_taken);
}

}  // namespace laconic::distributed

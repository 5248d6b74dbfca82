#include "laconic/trainers/rank_costs.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace laconic::trainers {
namespace {

using distributed::Shard;

constexpr int64_t kF32 = 4;

// Values of each unit, in the order of the forward pass, each padded to a multiple of the ranks.
std::vector<int64_t> padded_units(const model::ModelConfig& config, int ranks) {
  const int64_t embedding = config.vocab_size * config.hidden, head = config.hidden + (config.tied ? 0 : embedding);
  std::vector<int64_t> units(static_cast<size_t>(config.layers) + 2);
  std::fill(units.begin(), units.end(), (config.total_parameters() - embedding - head) / config.layers);
  units.front() = embedding;
  units.back() = head;
  for (auto& unit : units) unit = (unit + ranks - 1) / ranks * ranks;
  return units;
}

int64_t total(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

// Live bytes and the most there were.
class Level {
 public:
  void add(int64_t bytes) { peak_ = std::max(peak_, live_ += bytes); }
  int64_t peak() const { return peak_; }

 private:
  int64_t live_ = 0, peak_ = 0;
};

// Follows the buffers of gradient_units.cpp through the backward passes of an update. What comes over the network is a
// buffer as large as what goes (Gloo's exchange).
class GradientBuffers {
 public:
  GradientBuffers(const std::vector<int64_t>& units, const RankPlan& plan)
      : units_(units), plan_(plan), made_(units.size()), summed_(units.size()) {}

  int64_t peak(bool tied) {
    for (int64_t pass = 0; pass < plan_.micro_batches; ++pass) {
      const bool last = pass + 1 == plan_.micro_batches;
      if (tied) make(0);
      for (size_t unit = units_.size(); unit-- > 0;) {
        make(unit);
        if (last || plan_.shard >= Shard::gradients) send(unit);
      }
    }
    receive();
    return level_.peak();
  }

 private:
  void make(size_t unit) {
    if (!made_[unit]) level_.add(kF32 * units_[unit]);
    made_[unit] = true;
  }
  void send(size_t unit) {
    receive();
    const bool narrow = plan_.reduction_bytes < kF32, parts = plan_.shard != Shard::none;
    const int64_t travelling = plan_.reduction_bytes * units_[unit];
    if (narrow) level_.add(travelling);
    if (parts) {
      if (narrow) level_.add(-kF32 * units_[unit]);
      made_[unit] = false;
      level_.add(travelling);
      on_its_way_ = 2 * travelling;
      sent_ = unit;
    } else {
      on_its_way_ = narrow ? travelling : 0;
    }
  }
  void receive() {
    if (sent_ < units_.size() && !summed_[sent_]) {
      summed_[sent_] = true;
      level_.add(kF32 * units_[sent_] / plan_.ranks);
    }
    level_.add(-on_its_way_);
    on_its_way_ = 0;
    sent_ = units_.size();
  }

  const std::vector<int64_t>& units_;
  const RankPlan& plan_;
  std::vector<bool> made_, summed_;
  Level level_;
  size_t sent_ = static_cast<size_t>(-1);
  int64_t on_its_way_ = 0;
};

// The units that sharded_weights.cpp has whole at the same time, at most: one in use and the one gathered ahead.
int64_t gathered_values(const std::vector<int64_t>& units, bool tied) {
  const int64_t embedding = units.front(), layer = units[1], head = units.back();
  const int64_t two = layer + std::max(layer, head);
  return tied ? embedding + two : std::max(two, embedding + layer);
}

// Sent by each rank of a ring that gathers or scatters so many bytes.
double ring(double bytes, int ranks) {
  return bytes * (ranks - 1) / ranks;
}

}  // namespace

RankMemory rank_memory(const model::ModelConfig& config, const RankPlan& plan) {
  const auto units = padded_units(config, plan.ranks);
  const int64_t values = config.total_parameters(), part = total(units) / plan.ranks;
  const bool alone = plan.ranks == 1, divided = !alone && plan.shard == Shard::parameters;
  const int64_t state_bytes = plan.weight_bytes < kF32 ? 3 * kF32 : 2 * kF32;
  RankMemory memory;
  memory.weights = plan.weight_bytes * (divided ? part : values);
  memory.optimizer = state_bytes * (alone || plan.shard == Shard::none ? values : part);
  memory.gradients = alone ? kF32 * values : GradientBuffers(units, plan).peak(config.tied);
  // Where nothing is divided, rank 0 writes everything.
  const bool shares = !alone && plan.shard != Shard::none;
  memory.checkpoint = (plan.weight_bytes + state_bytes) * (shares ? part : values);
  if (!divided) return memory;
  memory.gathered = plan.weight_bytes * gathered_values(units, config.tied);
  memory.gathered_whole = plan.weight_bytes * total(units);
  return memory;
}

double update_wire_bytes(const model::ModelConfig& config, const RankPlan& plan) {
  const auto units = padded_units(config, plan.ranks);
  const auto all = static_cast<double>(total(units)), layers = static_cast<double>(units[1] * config.layers);
  const auto passes = static_cast<double>(plan.micro_batches), weight = static_cast<double>(plan.weight_bytes);
  const double gradient = all * static_cast<double>(plan.reduction_bytes);
  switch (plan.shard) {
    case Shard::none:
      return ring(2 * gradient, plan.ranks);
    case Shard::optimizer:
      return ring(gradient + weight * all, plan.ranks);
    case Shard::gradients:
      return ring(passes * gradient + weight * all, plan.ranks);
    case Shard::parameters:
      return ring(passes * (gradient + weight * (all + layers)), plan.ranks);
  }
  return 0;
}

double pass_wire_bytes(const model::ModelConfig& config, const RankPlan& plan) {
  if (plan.shard != Shard::parameters) return 0;
  return ring(static_cast<double>(plan.weight_bytes * total(padded_units(config, plan.ranks))), plan.ranks);
}

double decoding_wire_bytes(const model::ModelConfig& config, const RankPlan& plan) {
  if (plan.shard != Shard::parameters) return 0;
  const auto units = padded_units(config, plan.ranks);
  return ring(static_cast<double>(plan.weight_bytes * units[1] * config.layers), plan.ranks);
}

}  // namespace laconic::trainers

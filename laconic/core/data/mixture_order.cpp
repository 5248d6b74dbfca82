#include "laconic/core/data/mixture_order.h"

#include <cmath>
#include <numeric>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::data {
namespace {

__extension__ using Wide = unsigned __int128;

// How many of the first `positions` go to a set.
uint64_t taken(uint64_t positions, uint64_t share, uint64_t phase) {
  return static_cast<uint64_t>((static_cast<Wide>(positions) * share + phase) >> 64);
}

}  // namespace

MixtureOrder::MixtureOrder(const std::vector<double>& weights, uint64_t seed) {
  LACONIC_CHECK(!weights.empty(), "a mixture of no sets");
  double left = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    LACONIC_CHECK(weights[i] > 0 && weights[i] < left, "weight {} of {}", weights[i], left);
    const auto share = static_cast<uint64_t>(std::ldexp(weights[i] / left, 64));
    splits_.push_back({share, mix_key({seed, static_cast<uint64_t>(DrawPurpose::prompt_order), i})});
    left -= weights[i];
  }
}

MixtureOrder::Place MixtureOrder::at(uint64_t position) const {
  for (size_t set = 0; set < splits_.size(); ++set) {
    const auto [share, phase] = splits_[set];
    const uint64_t before = taken(position, share, phase);
    if (taken(position + 1, share, phase) > before) return {set, before};
    position -= before;
  }
  return {splits_.size(), position};
}

}  // namespace laconic::data

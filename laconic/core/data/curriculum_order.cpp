#include "laconic/core/data/curriculum_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::data {

CurriculumOrder::CurriculumOrder(std::vector<uint32_t> ranked, const CurriculumPlan& plan, uint64_t seed)
    : ranked_(std::move(ranked)), kind_(plan.kind), seed_(seed) {
  const size_t count = ranked_.size();
  LACONIC_CHECK(count > 0 && plan.stages > 0 && plan.band > 0 && plan.band <= 1, "an impossible curriculum");
  stages_ = std::min(count, static_cast<size_t>(plan.stages));
  width_ = std::clamp<size_t>(static_cast<size_t>(std::llround(plan.band * static_cast<double>(count))), 1, count);
  const uint64_t positions = plan.positions > 0 ? plan.positions : count;
  blocks_ = (positions + width_ - 1) / width_;
}

size_t CurriculumOrder::at(uint64_t position) const {
  return ranked_[kind_ == CurriculumKind::band ? rank_in_band(position) : rank_in_stages(position)];
}

size_t CurriculumOrder::rank_in_stages(uint64_t position) const {
  const uint64_t count = ranked_.size(), epoch = position / count, within = position % count;
  const auto begin_of = [&](uint64_t stage) { return stage * count / stages_; };
  // The greatest stage that begins at or before this place.
  uint64_t stage = (within * stages_) / count;
  while (begin_of(stage + 1) <= within) ++stage;
  const uint64_t begin = begin_of(stage), size = begin_of(stage + 1) - begin;
  const PromptOrder order(size, mix_key({seed_, stage}));
  return begin + order.at(epoch * size + (within - begin));
}

// Each run of `width_` positions visits the examples of one place of the band once.
size_t CurriculumOrder::rank_in_band(uint64_t position) const {
  const uint64_t room = ranked_.size() - width_;
  const uint64_t block = std::min(position / width_, blocks_ - 1);
  const uint64_t begin = blocks_ == 1 ? 0 : room * block / (blocks_ - 1);
  return begin + PromptOrder(width_, seed_).at(position);
}

std::vector<uint32_t> easy_to_hard(const std::vector<double>& pass_rates, uint64_t seed) {
  std::vector<uint32_t> ranked(pass_rates.size());
  std::iota(ranked.begin(), ranked.end(), 0u);
  const auto tie = [&](uint32_t i) { return mix_key({seed, static_cast<uint64_t>(DrawPurpose::tie_break), i}); };
  std::sort(ranked.begin(), ranked.end(), [&](uint32_t a, uint32_t b) {
    if (pass_rates[a] != pass_rates[b]) return pass_rates[a] > pass_rates[b];
    return std::pair(tie(a), a) < std::pair(tie(b), b);
  });
  return ranked;
}

}  // namespace laconic::data

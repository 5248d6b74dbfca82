// Prompts by difficulty: a pure function of (seed, position) over the examples in the order from easy to hard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "laconic/core/data/prompt_order.h"

namespace laconic::data {

enum class CurriculumKind {
  easy_to_hard,  // every epoch visits every example once, one stage of difficulty after the other
  band,          // a band of neighbouring difficulties moves from the easy end to the hard end, and stays there
};

struct CurriculumPlan {
  CurriculumKind kind = CurriculumKind::easy_to_hard;
  int stages = 10;         // easy_to_hard: of equal size, within which the order is random, another one every epoch
  double band = 0.3;       // band: its width as a share of the examples
  uint64_t positions = 0;  // band: over which it moves; 0 = as many as there are examples
};

class CurriculumOrder {
 public:
  // `ranked`: indices of examples from easy to hard, at least one.
  CurriculumOrder(std::vector<uint32_t> ranked, const CurriculumPlan& plan, uint64_t seed);

  size_t at(uint64_t position) const;

 private:
  size_t rank_in_stages(uint64_t position) const;
  size_t rank_in_band(uint64_t position) const;

  std::vector<uint32_t> ranked_;
  CurriculumKind kind_;
  uint64_t seed_;
  size_t stages_, width_;  // width_: examples of the band
  uint64_t blocks_;        // of width_ positions, over which the band moves
};

// Indices 0 .. pass_rates.size() - 1 from the highest to the lowest rate; equal ones in an order of the seed.
std::vector<uint32_t> easy_to_hard(const std::vector<double>& pass_rates, uint64_t seed);

}  // namespace laconic::data

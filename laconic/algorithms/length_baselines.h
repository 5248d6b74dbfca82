// Length rewards that LASER's paper sets beside its own (arXiv 2505.15612, table 2), in one form:
//
//   reward = C + lambda * S(length)
//
//   truncation     R if L <= target, else the reward of a wrong answer
//   group_penalty  R - alpha [R = 1] sigmoid((L - mean) / std), over the group's right ones (Arora and Zanette,
//   2502.04463) kimi_length    R + s, s = w (0.5 - (L - L_min) / (L_max - L_min)) if right, min(0, that) if wrong (Kimi
//   k1.5,
//                  2501.12599); 0 where all lengths of the group are equal
//   l1_exact       R - alpha |L - target|                          (L1, 2503.04697)
//   l1_max         [R = 1] clip(alpha (target - L) + delta, 0, 1)  (L1; the sign as L1 means it: shorter is better)
//
// R is that of outcome_rewards.h. Advantage and loss are those of GRPO.
#pragma once

#include <cstdint>
#include <vector>

#include "laconic/algorithms/outcome_rewards.h"
#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

enum class SingleCorrect { neutral, full };

// Each reward by itself: of sample `index` of a group.
struct TruncationReward {
  OutcomeRewards outcome;
  int64_t target_tokens = 8192;
  void visit(config::Visitor& v);
  double of(const Group& group, size_t index, StdKind std) const;
};
struct GroupPenaltyReward {
  OutcomeRewards outcome;
  double alpha = 0.2;
  SingleCorrect single_correct = SingleCorrect::neutral;
  void visit(config::Visitor& v);
  double of(const Group& group, size_t index, StdKind std) const;
};
struct KimiLengthReward {
  OutcomeRewards outcome;
  double weight = 1.0;
  void visit(config::Visitor& v);
  double of(const Group& group, size_t index, StdKind std) const;
};
struct L1ExactReward {
  OutcomeRewards outcome;
  double alpha = 0.0003;
  int64_t target_tokens = 4096;
  void visit(config::Visitor& v);
  double of(const Group& group, size_t index, StdKind std) const;
};
struct L1MaxReward {
  double alpha = 0.0003;
  double delta = 0.5;
  int64_t target_tokens = 4096;
  void visit(config::Visitor& v);
  double of(const Group& group, size_t index, StdKind std) const;
};

// truncation, group_penalty, kimi_length, l1_exact, l1_max.
std::vector<Method> length_baseline_methods();

}  // namespace laconic::algorithms

// PEAR: phase entropy aware reward (arXiv 2510.08026). A right answer costs as much as its thinking is more uncertain
// than its answer:
//
//   P = max(0, H_think - alpha * H_answer),   r = min(1, s - P) if right, r_wrong otherwise
//
// H_think and H_answer are mean entropies (nats, of the policy that sampled, at the sampling temperature) of the tokens
// in front of and behind the first end-of-thinking token. Advantage and loss are those of GRPO.
#pragma once

#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

struct PearConfig : OwnConfig<PearConfig> {
  double alpha = 1.0;
  double correct_reward = 1.0;  // s
  double wrong_reward = 0.0;
  std::optional<double> correct_floor;  // the published reward has none
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

// Mean entropies of the two phases. Without an end of thinking everything is thinking; an empty phase has entropy 0.
struct PhaseEntropies {
  double thinking = 0.0;
  double answer = 0.0;
};
// An Error where the sample's entropies are absent.
PhaseEntropies phase_entropies(const Sample& sample);

class Pear final : public Objective {
 public:
  Pear(const ObjectiveConfig& common, const PearConfig& own) : Objective(common), own_(own) {}
  Needs needs() const override;
  void rewards(Step& step) override;
  Metrics metrics(const Step& step) const override;

 private:
  PearConfig own_;
};

Method pear_method();

}  // namespace laconic::algorithms

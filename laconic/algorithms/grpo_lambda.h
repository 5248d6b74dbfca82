// GRPO-lambda (Dai, Yang and Si, arXiv 2505.18086; not the eligibility traces of 2510.00194): of all groups of a step
// the share with the most right answers is rewarded for short ones, the others for right ones alone:
//
//   efficiency groups  r = 1 - alpha * sigmoid((L - mean) / std) if right, 0 if wrong
//   the others         r = 1 if right, 0 if wrong
//
// mean and std are those of the lengths of the group's right completions. Choosing every group is the plain length
// penalty, `length_penalty`.
#pragma once

#include <cstdint>
#include <vector>

#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

enum class Rounding { floor, nearest, ceil };
enum class TieBreak { random, order };

struct GrpoLambdaConfig : OwnConfig<GrpoLambdaConfig> {
  double efficiency_share = 0.2;  // the paper's lambda
  double alpha = 0.2;
  Rounding rounding = Rounding::floor;
  TieBreak ties = TieBreak::random;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

struct LengthPenaltyConfig : OwnConfig<LengthPenaltyConfig> {
  double alpha = 0.2;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

// The groups of a step that are rewarded for short answers.
struct EfficiencySelection {
  std::vector<bool> chosen;  // parallel to the groups
  int64_t count = 0;
  double cut_ratio = 0.0;     // share of right answers of the last chosen group; 0 when none is chosen
  int64_t tied_at_cut = 0;    // groups with that share, chosen or not
  int64_t chosen_at_cut = 0;  // of those, the chosen ones
};
EfficiencySelection select_groups(const Step& step, const GrpoLambdaConfig& config);

class GrpoLambda final : public Objective {
 public:
  GrpoLambda(const ObjectiveConfig& common, const GrpoLambdaConfig& own) : Objective(common), own_(own) {}
  GrpoLambda(const ObjectiveConfig& common, const LengthPenaltyConfig& own);
  void rewards(Step& step) override;
  Metrics metrics(const Step& step) const override;

 private:
  GrpoLambdaConfig own_;
};

Method grpo_lambda_method();
Method length_penalty_method();

}  // namespace laconic::algorithms

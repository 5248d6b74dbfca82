// LASER, LASER-D and LASER-DE (arXiv 2505.15612): a step of reward for right answers within a target length, far below
// the completion limit, so that exploration is not cut off.
//
//   laser     R + alpha [R = 1] [L <= target]
//   laser_d   the same with a target for each difficulty, chosen again on a monitor set every so many steps
//   laser_de  laser_d, and alpha [wrong] [L > target]: wrong answers that explored further lose less
//
// R is 1 (right and well formed), -0.5 (wrong) or -1 (malformed). Advantage and loss are those of GRPO with token_mean
// and an upper clip of 0.28.
#pragma once

#include "laconic/algorithms/length_targets.h"
#include "laconic/algorithms/outcome_rewards.h"
#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

enum class LengthForm { bonus, penalty, hybrid };
enum class Exploration { none, well_formed, any_wrong };
enum class RepetitionFilter { none, laser_code, strict };

// What the three have in common, and what only some of them use.
struct LaserRules {
  double alpha = 0.5;
  LengthForm form = LengthForm::bonus;
  OutcomeRewards outcome;
  Exploration exploration = Exploration::none;
  RepetitionFilter repetition_filter = RepetitionFilter::none;
  void visit(config::Visitor& v);
};

struct LaserConfig : OwnConfig<LaserConfig> {
  LaserRules rules;
  int64_t target_tokens = 8192;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

struct LaserDConfig : OwnConfig<LaserDConfig> {
  LaserRules rules;
  TargetConfig targets;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

struct LaserDeConfig : OwnConfig<LaserDeConfig> {
  LaserRules rules;
  TargetConfig targets;
  LaserDeConfig() { rules.exploration = Exploration::well_formed; }
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

// The length term of a sample and what led to it.
struct LaserTerm {
  double value = 0.0;
  bool bonus = false;        // for a right answer within the target
  bool exploration = false;  // for a wrong one beyond it
  bool repetitive = false;   // which the repetition filter refused
};
LaserTerm laser_term(const LaserRules& rules, const Sample& sample, int64_t target);

class Laser final : public Objective {
 public:
  Laser(const ObjectiveConfig& common, const LaserConfig& own)
      : Objective(common), rules_(own.rules), fixed_target_(own.target_tokens), targets_(TargetConfig{}) {}
  Laser(const ObjectiveConfig& common, const LaserDConfig& own) : Laser(common, own.rules, own.targets) {}
  Laser(const ObjectiveConfig& common, const LaserDeConfig& own) : Laser(common, own.rules, own.targets) {}

  Needs needs() const override;
  void monitor(const Step& pass) override { targets_.measure(pass); }
  void rewards(Step& step) override;
  Metrics metrics(const Step& step) const override;
  nlohmann::json state() const override { return targets_.to_json(); }
  void restore(const nlohmann::json& state) override;

 private:
  Laser(const ObjectiveConfig& common, const LaserRules& rules, const TargetConfig& targets)
      : Objective(common), rules_(rules), monitor_every_(targets.monitor_every), targets_(targets) {}
  int64_t target_of(const Group& group, const Step& step) const;

  LaserRules rules_;
  std::optional<int64_t> fixed_target_;
  int monitor_every_ = 0;
  LengthTargets targets_;
};

Method laser_method();
Method laser_d_method();
Method laser_de_method();

}  // namespace laconic::algorithms

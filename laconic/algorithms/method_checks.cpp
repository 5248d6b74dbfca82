#include "laconic/algorithms/method_checks.h"

namespace laconic::algorithms {

void check_own_reward(config::Visitor& v, const ObjectiveConfig& common) {
  v.check(common.reward_weights.empty(), "reward_weights, name",
          "the method computes its own reward, which weighted rewards would replace; expected no reward_weights");
}

void check_keeps_all_correct(config::Visitor& v, const ObjectiveConfig& common) {
  v.check(common.filter.keep != KeepRule::mixed_correct, "filter.keep, name",
          "groups in which every completion is right carry the method's signal; mixed_correct would drop them");
  v.check(common.filter.keep != KeepRule::any_exit_correct, "filter.keep, name",
          "the method samples no early exits, so any_exit_correct would drop every group");
}

}  // namespace laconic::algorithms

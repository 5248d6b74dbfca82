// The reward of an outcome in three classes, as LASER and the baselines of its paper have it (arXiv 2505.15612): +1 for
// a right and well-formed completion, less for a wrong one, least for a malformed one.
#pragma once

#include "laconic/algorithms/step.h"
#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

struct OutcomeRewards {
  double wrong = -0.5;
  double malformed = -1.0;

  // The fields stand in the method's own section.
  void visit(config::Visitor& v);
  double of(const Sample& sample) const;
  // Right and well formed: the outcome whose reward is 1.
  static bool succeeded(const Sample& sample) { return sample.verdict.correct && sample.verdict.format_ok; }
};

}  // namespace laconic::algorithms

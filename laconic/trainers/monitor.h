// The monitor pass of an objective that asks for one: a fixed set of prompts, sampled every so many steps as training
// samples them. Resumable: what it found is part of the run's state.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/prompts.h"
#include "laconic/trainers/rl_state.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

class MonitorPass {
 public:
  // Draws the prompts from `source` (kept alive by the caller). More prompts than the source has are an Error.
  MonitorPass(const MonitorSection& section, const PromptSource& source, int every);

  // Whether the pass that precedes this step is still to be made.
  bool due(int64_t step, const MonitorState& state) const;

  // Samples the prompts with the options of training and hands the groups to the objective. `state` receives the cost
  // and the figures; it changes only when the pass is complete. Throws Stopped like collect().
  void run(rollout::Engine& engine, algorithms::Objective& objective, const Judge& judge, CollectOptions options,
           MonitorState& state) const;

 private:
  std::vector<PlacedPrompt> prompts_;
  int every_;
};

}  // namespace laconic::trainers

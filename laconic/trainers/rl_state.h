// Everything of an RL run that changes while it runs, apart from weights and optimizer moments; saved with each
// checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/algorithms/policy_loss.h"
#include "laconic/algorithms/step.h"
#include "laconic/core/checkpoint/store.h"
#include "laconic/trainers/loss_outliers.h"

namespace laconic::trainers {

// A rollout whose samples are still being trained on.
struct PendingStep {
  algorithms::Step step;
  std::vector<std::pair<std::string, double>> metrics;  // of the rollout, for the step's row
  algorithms::LossStatistics loss;                      // summed over the updates done so far
  double grad_norm_sum = 0;
  double lr = 0;
  int64_t trained_tokens = 0;
  std::vector<std::string> outliers;  // rows for outliers.jsonl
  int updates = 0;                    // made, skipped ones included
  int skipped = 0;
};

// What the last monitor pass found and cost.
struct MonitorState {
  int64_t step = -1;   // the step that it preceded; -1: none was made
  int64_t tokens = 0;  // drawn by all passes of the run
  std::vector<std::pair<std::string, double>> values;
};

struct RlState {
  int64_t step = 0;              // finished steps
  int64_t update = 0;            // optimizer updates done of the pending step
  int64_t optimizer_steps = 0;   // schedule position, skipped ones included
  uint64_t prompt_position = 0;  // next position of the prompt order
  int64_t skipped_in_a_row = 0;
  int64_t generated_tokens = 0;
  int64_t evaluated = -1;                    // finished steps at the last evaluation; -1: none yet
  std::map<std::string, double> evaluation;  // its metrics, for the choice of the best checkpoint
  MonitorState monitor;
  RecentUpdates recent;
  std::optional<PendingStep> pending;

  checkpoint::Position position() const { return {step, update}; }
};

// `rollout` is null when no step is pending.
void to_json(const RlState& state, nlohmann::json& out, nlohmann::json& rollout);
// Error(input) for counts that no run can have reached.
RlState state_from_json(const nlohmann::json& state, const nlohmann::json& rollout);

}  // namespace laconic::trainers

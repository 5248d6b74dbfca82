// `laconic plan` in words and as JSON: every way to divide the state between the ranks, and which one to use.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "laconic/trainers/plan_step.h"

namespace laconic::trainers {

struct StepPlans {
  PlanHardware hardware;
  model::ModelConfig model;
  std::string model_name;
  PlanWorkload workload;
  std::vector<StepPlan> plans;  // of all_divisions(), or of the one there is for one rank
  std::optional<size_t> best;   // the fastest that fits; of equals the one that divides least
  // Where none fits: with so many nodes one does; nothing: with none of 65536.
  std::optional<int64_t> nodes_needed = std::nullopt;
  // Where none fits: what does with smaller activations, train.recompute and the shortest micro-batches.
  std::optional<PlanDivision> fits_with_less = std::nullopt;
};

StepPlans plan_steps(const PlanHardware& hardware, const model::ModelConfig& model, std::string model_name,
                     const PlanWorkload& workload);

std::string describe(const StepPlans& plans);
nlohmann::ordered_json to_json(const StepPlans& plans);

}  // namespace laconic::trainers

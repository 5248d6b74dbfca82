// What one rank of several holds and sends of weights, gradients and optimizer state: the formulas of
// docs/distributed.md, for --dry-run. Activations and the cache: costs.h.
#pragma once

#include <cstdint>

#include "laconic/core/distributed/shard.h"
#include "laconic/core/model/model_config.h"

namespace laconic::trainers {

struct RankPlan {
  int ranks = 1;
  distributed::Shard shard = distributed::Shard::none;
  int64_t weight_bytes = 4;     // of a value: 2 for bf16, which have f32 master copies
  int64_t reduction_bytes = 4;  // of a value of a gradient that travels
  int64_t micro_batches = 1;    // of a rank and update, at most
};

// Bytes of tensors on the rank that has most.
struct RankMemory {
  int64_t weights = 0;         // between uses
  int64_t optimizer = 0;       // moments and master copies
  int64_t gradients = 0;       // at their peak during an update, on their way included
  int64_t gathered = 0;        // of weights, at their peak during an update or a layered rollout
  int64_t gathered_whole = 0;  // of weights, where a rollout gathers all of them
  int64_t checkpoint = 0;      // copy of what the rank writes of a checkpoint, where that is written behind the run
};
RankMemory rank_memory(const model::ModelConfig& config, const RankPlan& plan);

// Bytes that a rank sends.
double update_wire_bytes(const model::ModelConfig& config, const RankPlan& plan);
// For one pass of inference, or to gather all weights once; nothing where each rank has them.
double pass_wire_bytes(const model::ModelConfig& config, const RankPlan& plan);
// For one decoding step that gathers layer by layer.
double decoding_wire_bytes(const model::ModelConfig& config, const RankPlan& plan);

}  // namespace laconic::trainers

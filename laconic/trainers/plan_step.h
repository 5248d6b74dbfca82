// What a GRPO step costs on given hardware, rank by rank, without running anything: docs/plan.md has the formulas.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/shard.h"
#include "laconic/core/model/model_config.h"
#include "laconic/trainers/plan_hardware.h"

namespace laconic::trainers {

struct PlanWorkload {
  int64_t prompts = 128;  // of a step
  int64_t group = 8;      // completions of a prompt
  int64_t prompt_tokens = 256;
  int64_t new_tokens = 1024;  // limit of a completion
  double mean_tokens = 0;     // of a completion; 0 = the limit: all of one length
  int64_t updates = 1;        // optimizer steps on a rollout
  int64_t micro_batch_tokens = 16384;
  bool recompute = false;
  bool bf16 = true;  // weights, with f32 master copies
  bool bf16_reduction = false;
  bool old_logprobs = false;  // a pass for them under the sampling weights
  bool reference = false;     // a frozen model, and a pass for its logprobs
  int64_t max_rows = 256;
  int64_t kv_tokens = 0;  // as rollout.kv_tokens
  int64_t head_chunk_bytes = int64_t{64} << 20;

  double mean() const { return mean_tokens > 0 ? mean_tokens : static_cast<double>(new_tokens); }
};

// How the ranks divide what they hold.
struct PlanDivision {
  distributed::Shard shard = distributed::Shard::none;
  bool whole_rollout = true;  // under `parameters`: whole weights while completions are sampled
};
std::string describe(const PlanDivision& division);  // "parameters, layers"
std::vector<PlanDivision> all_divisions();

// Bytes of one rank.
struct PlanMemory {
  double weights = 0, optimizer = 0, reference = 0, kv_cache = 0;  // always there
  double rollout_weights = 0;                                      // gathered while completions are sampled
  double training_weights = 0, gradients = 0, activations = 0;     // the first gathered, unit by unit
  double total() const {
    return weights + optimizer + reference + kv_cache +
           std::max(rollout_weights, training_weights + gradients + activations);
  }
};

// Seconds of the slowest rank. Collectives count where nothing is computed meanwhile.
struct PlanTimes {
  double gather = 0;  // of the weights, for the rollout
  double prefill = 0;
  double decode = 0;
  double exchange = 0;  // of completions between the ranks
  double score = 0;     // logprobs of the sampling policy and of the reference
  double forward = 0, backward = 0;
  double reduce = 0;  // gradients and weights, beyond what the passes hide
  double optimizer = 0;
  double total() const {
    return gather + prefill + decode + exchange + score + forward + backward + reduce + optimizer;
  }
};

struct StepPlan {
  PlanDivision division;
  PlanMemory memory;
  PlanTimes times;
  bool fits = false;
  int64_t rows = 0;           // decoded at once by a rank
  int64_t idle_ranks = 0;     // without a prompt in the rollout
  int64_t micro_batches = 0;  // of a rank and update
  double wire_bytes = 0;      // sent by a rank
  double tokens = 0;          // of all completions of the step
  // What the time goes into, the largest first: "reading weights in decoding" -> seconds.
  std::vector<std::pair<std::string, double>> causes;
};

StepPlan plan_step(const PlanHardware& hardware, const model::ModelConfig& model, const PlanWorkload& workload,
                   const PlanDivision& division);

// Seconds of one decoding step and what they are bound by.
struct DecodeStep {
  double weights = 0, keys_and_values = 0, arithmetic = 0, sampling = 0, overhead = 0;
  double total() const { return weights + keys_and_values + arithmetic + sampling + overhead; }
};
DecodeStep decode_step(const PlanHardware& hardware, const model::ModelConfig& model, const PlanWorkload& workload,
                       double rows, double context);

}  // namespace laconic::trainers

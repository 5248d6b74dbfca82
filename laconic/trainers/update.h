// One optimizer mini-batch: packed micro-batches forward and backward under fixed global denominators, clip, AdamW.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/algorithms/token_batch.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/model/model.h"
#include "laconic/core/optim/optimizer.h"
#include "laconic/core/policy/policy.h"

namespace laconic::trainers {

struct UpdateOptions {
  int64_t micro_batch_tokens = 2048;
  policy::PolicyOptions policy;
  // Deals the sequences to the ranks of the run, which all call with the same arguments; results are those of all of
  // them. Null: this process does everything.
  distributed::Communicator* communicator = nullptr;
  // Called before the last backward pass of a mini-batch. May be empty.
  std::function<void()> before_last_pass = {};
};

struct UpdateReport {
  algorithms::LossStatistics loss;
  optim::StepReport optimizer;
  int64_t tokens = 0;  // through the forward and backward pass, prompts included
  int64_t micro_batches = 0;
  double forward_seconds = 0, backward_seconds = 0, optimizer_seconds = 0;
  // What a micro-batch of this rank found, for a closer look: its samples (of the mini-batch) and of their tokens, in
  // that order, what each added to the loss and its logprob [n].
  struct Pass {
    std::vector<int64_t> samples;
    at::Tensor token_loss, logprob;
  };
  std::vector<Pass> passes;
};

// Prompt and completion of a sample.
policy::ScoredSequence sequence_of(const algorithms::Group& group, const algorithms::Sample& sample);
// The sequences of a mini-batch in its order.
std::vector<policy::ScoredSequence> sequences_of(const algorithms::MiniBatch& mini_batch);

// Logprobs (and entropies) of every completion token without gradient; parallel to `sequences`.
struct ScoredTokens {
  std::vector<std::vector<double>> logprob;
  std::vector<std::vector<double>> entropy;  // empty unless asked for
};
ScoredTokens score_without_gradient(const model::Model& model, std::span<const policy::ScoredSequence> sequences,
                                    double temperature, bool want_entropy, const UpdateOptions& options);

// Accumulates the gradient of the mini-batch (of this rank's part of it) into the model's parameters. Exposed for the
// batch-invariance tests.
UpdateReport accumulate_gradient(const model::Model& model, const algorithms::Objective& objective,
                                 algorithms::MiniBatch& mini_batch, const UpdateOptions& options);

// accumulate_gradient, then one optimizer step at `lr`.
UpdateReport update(const model::Model& model, const algorithms::Objective& objective,
                    algorithms::MiniBatch& mini_batch, optim::Optimizer& optimizer, double lr,
                    const UpdateOptions& options);

}  // namespace laconic::trainers

// From samples to the tensors of a loss: everything but the logprobs under the policy, which the forward pass gives.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "laconic/algorithms/aggregation.h"
#include "laconic/algorithms/policy_loss.h"
#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

// One sequence of a micro-batch and the factor on each of its loss tokens.
struct WeightedSample {
  const Group* group = nullptr;
  const Sample* sample = nullptr;
  double coefficient = 0.0;
};

// The samples of an optimizer mini-batch with their global coefficients.
struct MiniBatch {
  std::vector<WeightedSample> samples;
  double loss_tokens = 0;        // of the mini-batch over all ranks
  double entropy_threshold = 0;  // set where the objective selects tokens by entropy
  double entropy_selected_share = 1.0;
};

MiniBatch make_mini_batch(const LossConfig& loss, std::span<const Group* const> groups, int64_t max_completion_tokens);

// Sets the threshold of entropy_quantile from the entropies of all loss tokens; `entropies` is parallel to
// mini_batch.samples, each [length]. Does nothing when the objective does not select.
void select_by_entropy(const LossConfig& loss, std::span<const std::vector<double>> entropies, MiniBatch& mini_batch);

// All fields but logp and entropy for the chosen samples of a mini-batch, flattened in the given order, in `dtype` on
// `device`. logp_old is left undefined where no sample has it; a batch in which only some have it is an error.
TokenBatch make_token_batch(const LossConfig& loss, const MiniBatch& mini_batch, std::span<const int64_t> chosen,
                            at::ScalarType dtype, at::Device device);

}  // namespace laconic::algorithms

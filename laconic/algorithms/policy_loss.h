// The policy-gradient loss over given token logprobs: ratios, surrogates, KL, entropy bonus, mismatch weights.
//
// The loss of a mini-batch is a plain sum over tokens of coefficient * term. Coefficients carry the mask and the global
// denominators of the aggregation mode (aggregation.h), so that micro-batches add up to the mini-batch whatever their
// size and order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "laconic/algorithms/objective_config.h"

namespace laconic::algorithms {

// The completion tokens of some whole sequences, flattened; n tokens, s sequences. Floating tensors share one dtype.
struct TokenBatch {
  at::Tensor logp;     // [n] with gradient
  at::Tensor entropy;  // [n] with gradient; undefined unless the objective uses it
  at::Tensor
      logp_old;  // [n] with overrides applied; undefined: the policy is the sampling policy, logp detached is used
  at::Tensor logp_ref;        // [n]; undefined without a reference
  at::Tensor logp_rollout;    // [n]; undefined when the sampler's logprobs are not given
  at::Tensor override_mask;   // [n] bool: positions whose old logprob is overridden; logp_old must hold the values
                              // there. Undefined: none
  at::Tensor override_value;  // [n]: the overriding values (anything elsewhere); undefined: none
  at::Tensor drawn;           // [n] 0/1: 0 where a token was forced (mismatch weight 1 there); undefined: all drawn
  at::Tensor advantage;       // [n]
  at::Tensor mask;            // [n] 0/1 loss mask
  at::Tensor coefficient;     // [n] mask x aggregation x weight
  at::Tensor token_mean_coefficient;  // [n] mask / loss tokens of the mini-batch: for means over tokens (entropy bonus)
  at::Tensor sequence;                // [n] int64: 0 .. s-1, ascending
  int64_t sequences = 0;
  double entropy_threshold = 0.0;       // used when loss.entropy_quantile < 1
  double entropy_selected_share = 1.0;  // loss tokens at or above the threshold / loss tokens, of the mini-batch
};

// Sums over the loss tokens of a micro-batch; averages are formed over the mini-batch.
struct LossStatistics {
  double tokens = 0;
  double policy_loss = 0;  // sum of coefficient * term
  double kl_loss = 0;
  double entropy_sum = 0;
  double kl_sum = 0;  // of the estimator's value against the reference
  double ratio_sum = 0;
  double ratio_max = 0;
  double clipped_low = 0;  // tokens whose gradient is cut by the lower / upper clip
  double clipped_high = 0;
  double mismatch_tokens = 0;  // drawn loss tokens whose sampler logprob is known
  double mismatch_abs_sum = 0;
  double mismatch_abs_max = 0;
  double mismatch_k3_sum = 0;  // KL(sampler || trainer)
  double weight_sum = 0;       // of the mismatch weights, for the effective sample size
  double weight_square_sum = 0;
  double weights_cut = 0;        // tokens whose mismatch weight was capped or dropped
  double sequences_dropped = 0;  // by off_policy_mask

  void add(const LossStatistics& other);
};

struct LossTerms {
  at::Tensor loss;        // scalar with gradient
  at::Tensor token_loss;  // [n] without: what each token adds to the loss, apart from an entropy bonus
  LossStatistics statistics;
};

LossTerms policy_loss(const ObjectiveConfig& config, const TokenBatch& batch);

// The per-token estimate of KL(policy || reference) from delta = logp - logp_ref (Schulman's k1, k2, k3 and
// straight-through forms).
at::Tensor kl_estimate(KlEstimator estimator, const at::Tensor& delta);

}  // namespace laconic::algorithms

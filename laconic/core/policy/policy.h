// Logprobs and entropies of given tokens under a model: the training-side view of a policy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "laconic/core/model/model.h"

namespace laconic::policy {

// One sequence to be scored: statistics are wanted for ids[completion_start ..].
struct ScoredSequence {
  std::vector<int32_t> ids;      // prompt + completion
  int64_t completion_start = 1;  // >= 1
};

// Sequences laid end to end, without padding.
struct PackedBatch {
  at::Tensor ids;        // [tokens] int64
  at::Tensor positions;  // [tokens] int64, from 0 in each sequence
  std::vector<int64_t> offsets;  // [sequences + 1] token offsets
  at::Tensor rows;       // [n] int64: token whose hidden state predicts the k-th scored token
  at::Tensor targets;    // [n] int64: the scored tokens, sequence after sequence
  std::vector<int64_t> scored_offsets;  // [sequences + 1] offsets into the n scored tokens
};

PackedBatch pack(std::span<const ScoredSequence* const> sequences, at::Device device);

// Groups indices of sequences into micro-batches of at most `token_budget` tokens (a longer sequence stands alone), longest first
// so that micro-batches are full; deterministic.
std::vector<std::vector<int64_t>> split_by_tokens(std::span<const int64_t> lengths, int64_t token_budget);

struct TokenStatistics {
  at::Tensor logprob;  // [n] f32, at the given temperature
  at::Tensor entropy;  // [n] f32 nats over the full vocabulary at the given temperature; undefined unless asked for
};

struct PolicyOptions {
  bool recompute = false;             // activation checkpointing per layer
  int64_t head_chunk_bytes = 32 << 20;  // bound of one logits chunk [chunk, vocab] f32
};

// The forward pass and the chunked head. Differentiable when grad mode is on; never holds a [n, vocab] tensor.
TokenStatistics score(const model::Model& model, const PackedBatch& batch, double temperature, bool want_entropy,
                      const PolicyOptions& options);

}  // namespace laconic::policy

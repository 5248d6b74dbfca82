// Sequences laid end to end into micro-batches without padding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace laconic::policy {

// One sequence to be scored: statistics are wanted for ids[completion_start ..].
struct ScoredSequence {
  std::vector<int32_t> ids;      // prompt + completion
  int64_t completion_start = 1;  // >= 1

  int64_t scored() const { return static_cast<int64_t>(ids.size()) - completion_start; }
};

struct PackedBatch {
  at::Tensor ids;                       // [tokens] int64
  at::Tensor positions;                 // [tokens] int64, from 0 in each sequence
  std::vector<int64_t> offsets;         // [sequences + 1] token offsets
  at::Tensor rows;                      // [n] int64: the token whose hidden state predicts the k-th scored token
  at::Tensor targets;                   // [n] int64: the scored tokens, sequence after sequence
  std::vector<int64_t> scored_offsets;  // [sequences + 1] offsets into the n scored tokens
};

// The last token of a sequence predicts nothing and is left out of the batch; a sequence without scored tokens takes
// no room. A completion_start below 1 or beyond the end is an error.
PackedBatch pack(std::span<const ScoredSequence* const> sequences, at::Device device);

// Groups indices of sequences into micro-batches of at most `token_budget` tokens (a longer sequence stands alone),
// longest first so that micro-batches are full; deterministic.
std::vector<std::vector<int64_t>> split_by_tokens(std::span<const int64_t> lengths, int64_t token_budget);

}  // namespace laconic::policy

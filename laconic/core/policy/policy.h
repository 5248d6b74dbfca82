// Logprobs and entropies of given tokens under a model: the training-side view of a policy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "laconic/core/model/model.h"
#include "laconic/core/policy/packing.h"

namespace laconic::policy {

struct TokenStatistics {
  at::Tensor logprob;  // [n] f32, at the given temperature
  at::Tensor entropy;  // [n] f32 nats over the full vocabulary at the given temperature; undefined unless asked for
};

struct PolicyOptions {
  bool recompute = false;               // activation checkpointing per layer; changes no number
  int64_t head_chunk_bytes = 32 << 20;  // bound of one chunk of logits
};

// The forward pass and the chunked head; temperature > 0. Differentiable where grad mode is on and the model is
// trainable (the backward pass adds to the parameters' .grad()); never holds a [n, vocab] tensor.
TokenStatistics score(const model::Model& model, const PackedBatch& batch, double temperature, bool want_entropy,
                      const PolicyOptions& options);

}  // namespace laconic::policy

// What a model costs in memory and arithmetic: the formulas of docs/benchmarks.md, for --dry-run and the benchmarks.
#pragma once

#include <cstdint>

#include "laconic/core/model/model_config.h"

namespace laconic::trainers {

// Bytes of activations that the backward pass of `tokens` packed tokens keeps, and what it needs at its peak besides.
struct ActivationBytes {
  int64_t kept = 0;
  int64_t transient = 0;
  int64_t total() const { return kept + transient; }
};
ActivationBytes activation_bytes(const model::ModelConfig& config, int64_t tokens, bool recompute,
                                 int64_t head_chunk_bytes);

// Bytes per parameter: weights, f32 gradients, optimizer moments and (bf16 weights) the f32 master copy.
struct StateBytes {
  int64_t weights = 0, gradients = 0, optimizer = 0;
  int64_t total() const { return weights + gradients + optimizer; }
};
StateBytes state_bytes(const model::ModelConfig& config, bool bf16_weights);

// Tokens that the cache of an engine holds where rollout.kv_tokens is 0: what `requests` of so many tokens `each`, of
// which `max_rows` are decoded at once, can use, within `memory_bytes`; at least one of them.
int64_t kv_tokens_wanted(int64_t requests, int64_t max_rows, int64_t each, int64_t memory_bytes, int64_t token_bytes);

// Bytes of keys and values of one token, all layers, f32.
int64_t kv_bytes_per_token(const model::ModelConfig& config);

// Floating-point operations of training on one token of a sequence of `length` tokens (forward and backward, causal).
double training_flops_per_token(const model::ModelConfig& config, double length, bool recompute);

// The least seconds of one decode step of `rows` sequences with `context` tokens each, given the machine's measured
// floating-point operations per second and bytes per second.
double decode_step_bound(const model::ModelConfig& config, double rows, double context, double weight_bytes,
                         double flops, double bandwidth);

}  // namespace laconic::trainers

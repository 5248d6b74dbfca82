#include "laconic/trainers/costs.h"

#include <algorithm>

namespace laconic::trainers {

ActivationBytes activation_bytes(const model::ModelConfig& c, int64_t tokens, bool recompute,
                                 int64_t head_chunk_bytes) {
  const int64_t attention = c.heads * c.head_dim;
  // Of one layer: its input, the two norms' statistics, qkv, attention and its log sums, h, gate and up.
  const int64_t layer = c.hidden + 2 + c.qkv_rows() + attention + c.heads + c.hidden + 2 * c.intermediate;
  // Of the layer in progress: the activation and its gradient, and gradients of qkv, attention and hidden states.
  const int64_t working = 2 * c.intermediate + 2 * c.qkv_rows() + attention + 4 * c.hidden;
  // Selected rows and their gradient around the head.
  const int64_t head = 4 * c.hidden + 4;
  ActivationBytes bytes;
  bytes.kept = 4 * tokens * (recompute ? c.layers * c.hidden + layer : c.layers * layer);
  bytes.transient = 4 * tokens * std::max(working, head) + 2 * head_chunk_bytes;
  return bytes;
}

StateBytes state_bytes(const model::ModelConfig& config, bool bf16_weights) {
  const int64_t n = config.total_parameters();
  return {n * (bf16_weights ? 2 : 4), n * 4, n * (bf16_weights ? 12 : 8)};
}

int64_t kv_tokens_wanted(int64_t requests, int64_t max_rows, int64_t each, int64_t memory_bytes, int64_t token_bytes) {
  return std::max(each, std::min(memory_bytes / token_bytes, std::min(requests, max_rows) * each));
}

int64_t kv_bytes_per_token(const model::ModelConfig& c) {
  return 2 * c.layers * c.kv_heads * c.head_dim * 4;
}

double training_flops_per_token(const model::ModelConfig& c, double length, bool recompute) {
  const double passes = recompute ? 8.0 : 6.0;
  const auto attention = static_cast<double>(c.layers * c.heads * c.head_dim) * length;
  return passes * (static_cast<double>(c.matmul_parameters()) + attention);
}

double decode_step_bound(const model::ModelConfig& c, double rows, double context, double weight_bytes, double flops,
                         double bandwidth) {
  const auto parameters = static_cast<double>(c.matmul_parameters());
  const double weights = std::max(parameters * weight_bytes / bandwidth, 2.0 * parameters * rows / flops);
  const double kv = std::max(rows * context * static_cast<double>(kv_bytes_per_token(c)) / bandwidth,
                             4.0 * static_cast<double>(c.layers * c.heads * c.head_dim) * context * rows / flops);
  return weights + kv;
}

}  // namespace laconic::trainers

// Logprobs and entropies of given tokens from final hidden states, without ever holding a [tokens, vocabulary] tensor:
// the logits live in chunks of bounded size, in the forward pass and again in the backward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace laconic::ops {

// What the backward pass needs of each token's softmax; [n] f32 each.
struct HeadStatistics {
  at::Tensor largest;  // max z, z = logits / temperature
  at::Tensor log_sum;  // log sum exp(z - largest)
  at::Tensor entropy;  // nats; undefined unless asked for
};

struct HeadOptions {
  double temperature = 1.0;
  int64_t chunk_bytes = 32 << 20;  // bound of one chunk of logits
};

// hidden [n, hidden], head [vocab, hidden], targets [n] int64 -> logprob [n] f32 of the targets at the temperature.
at::Tensor score_targets(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                         const HeadOptions& options, bool want_entropy, HeadStatistics& statistics);

// Gradients for d loss / d logprob and, where defined, d loss / d entropy, [n] f32 each. Returns d hidden [n, hidden];
// adds into dhead [vocab, hidden] f32 where it is not null.
at::Tensor score_targets_backward(const at::Tensor& g_logprob, const at::Tensor& g_entropy, const at::Tensor& hidden,
                                  const at::Tensor& head, const at::Tensor& targets, const HeadStatistics& statistics,
                                  const HeadOptions& options, at::Tensor* dhead);

}  // namespace laconic::ops

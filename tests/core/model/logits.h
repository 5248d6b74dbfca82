// Logits of a whole sequence, and what tests compare between models.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <vector>

#include "laconic/core/model/model.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"

namespace laconic::model {

inline at::Tensor token_ids(const Model& model, int64_t count, int64_t seed = 1) {
  return (at::arange(count, at::kLong) * 7919 + seed * 104729) % model.config().vocab_size;
}

// [tokens, vocab] f32
inline at::Tensor logits_of(const Model& model, const at::Tensor& ids) {
  const at::NoGradGuard no_grad;
  const std::vector<int64_t> offsets = {0, ids.numel()};
  const auto hidden = model.hidden_states(ids, at::arange(ids.numel(), at::kLong), offsets);
  auto normed = at::empty_like(hidden);
  ops::rms_norm_into(hidden, model.final_norm(), model.config().rms_epsilon, normed);
  return ops::linear(normed, model.head(), at::Tensor());
}

}  // namespace laconic::model

// Sequences to score, batches of them, and the gradients of a model under names.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/model/model.h"
#include "laconic/core/policy/packing.h"

namespace laconic::policy {

// `count` random sequences of up to `longest` tokens whose completions begin anywhere, some of them empty.
inline std::vector<ScoredSequence> random_sequences(int count, int longest, int64_t vocab, uint64_t seed) {
  Rng rng(DrawPurpose::procedural_data, {seed});
  std::vector<ScoredSequence> all;
  for (int i = 0; i < count; ++i) {
    ScoredSequence s;
    const int length = rng.between(2, longest);
    for (int t = 0; t < length; ++t) s.ids.push_back(static_cast<int32_t>(rng.below(static_cast<uint32_t>(vocab))));
    s.completion_start = i % 7 == 3 ? length : rng.between(1, length - 1);
    all.push_back(std::move(s));
  }
  return all;
}

inline PackedBatch pack_all(const std::vector<ScoredSequence>& sequences, const std::vector<int64_t>& chosen) {
  std::vector<const ScoredSequence*> pointers;
  pointers.reserve(chosen.size());
  for (int64_t i : chosen) pointers.push_back(&sequences[static_cast<size_t>(i)]);
  return pack(pointers, at::kCPU);
}

inline void clear_gradients(const model::Model& model) {
  for (const auto& parameter : model.parameters()) parameter.tensor.mutable_grad().reset();
}

inline std::map<std::string, at::Tensor> gradients_by_name(const model::Model& model) {
  std::map<std::string, at::Tensor> all;
  for (const auto& parameter : model.parameters())
    all[parameter.name] = parameter.tensor.grad().defined() ? parameter.tensor.grad().clone() : at::Tensor();
  return all;
}

}  // namespace laconic::policy

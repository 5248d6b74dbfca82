// Tiny checkpoints with the reference implementation's logits, logprobs, entropies, gradients and greedy tokens.
#pragma once

#include <ATen/ATen.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/core/model/model.h"
#include "laconic/core/model/safetensors.h"
#include "laconic/core/policy/policy.h"
#include "tests/support/test_data.h"

namespace laconic {

inline const std::vector<std::string>& golden_names() {
  static const std::vector<std::string> names = {"tiny-qwen2", "tiny-qwen2-untied", "tiny-qwen3",
                                                 "tiny-llama", "tiny-mistral",      "tiny-qwen3-bf16"};
  return names;
}

struct GoldenModel {
  std::filesystem::path folder;
  nlohmann::json json;
  model::SafetensorsFile tensors;

  explicit GoldenModel(const std::filesystem::path& path)
      : folder(path),
        json(nlohmann::json::parse(std::ifstream(path / "golden.json"))),
        tensors(path / "golden.safetensors") {}

  // The real tokens of each row of a variant ("full", "left", "right"), and where they begin in the row.
  struct Row {
    std::vector<int32_t> ids;
    int64_t begin = 0;
  };
  std::vector<Row> rows(const std::string& variant) const {
    const auto ids = tensors.tensor(variant + ".input_ids"), mask = tensors.tensor(variant + ".attention_mask");
    std::vector<Row> all;
    for (int64_t r = 0; r < ids.size(0); ++r) {
      Row row;
      row.begin = -1;
      for (int64_t t = 0; t < ids.size(1); ++t) {
        if (mask[r][t].item<int64_t>() == 0) continue;
        if (row.begin < 0) row.begin = t;
        row.ids.push_back(static_cast<int32_t>(ids[r][t].item<int64_t>()));
      }
      all.push_back(std::move(row));
    }
    return all;
  }

  policy::PackedBatch packed(const std::string& variant) const {
    std::vector<policy::ScoredSequence> sequences;
    for (const auto& row : rows(variant)) sequences.push_back({row.ids, 1});
    std::vector<const policy::ScoredSequence*> pointers;
    pointers.reserve(sequences.size());
    for (const auto& s : sequences) pointers.push_back(&s);
    return policy::pack(pointers, at::kCPU);
  }
};

}  // namespace laconic

// Contents of checkpoints for tests.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/checkpoint/store.h"
#include "tests/support/tensors.h"

namespace laconic::checkpoint {

// Everything in it follows from the seed.
inline Content content_of(uint64_t seed, int64_t width = 17) {
  Content c;
  c.state = {{"seed", seed}, {"metric", 0.1 * static_cast<double>(seed)}, {"text", "a \"quoted\" é line\n"}};
  c.weights = {{"model.embed.weight", normal_tensor({5, width}, seed)},
               {"model.norm.weight", normal_tensor({width}, seed + 1).to(at::kBFloat16)}};
  c.optimizer = {{"model.embed.weight.exp_avg", normal_tensor({5, width}, seed + 2)},
                 {"model.norm.weight.master", normal_tensor({width}, seed + 3)}};
  return c;
}

inline bool same_tensors(const optim::TensorSource& got, const optim::TensorParts& want) {
  if (got.names().size() != want.size()) return false;
  return std::all_of(want.begin(), want.end(), [&](const auto& part) {
    const auto names = got.names();
    return std::find(names.begin(), names.end(), part.name) != names.end() &&
           got.dtype(part.name) == part.values.scalar_type() && at::equal(got.whole(part.name), part.values);
  });
}

// Of whole tensors.
inline bool same_content(const Store::Loaded& got, const Content& want) {
  return got.content.state == want.state && got.content.rollout == want.rollout &&
         same_tensors(got.weights, want.weights) && same_tensors(got.optimizer, want.optimizer);
}

// What load_newest found and what it said about the others.
struct Found {
  std::optional<Store::Loaded> loaded = std::nullopt;
  std::vector<std::pair<std::string, std::string>> passed_over = {};  // folder name, reason
};

inline Found find_newest(const Store& store) {
  Found found;
  found.loaded = store.load_newest([&](const Store::PassedOver& one) {
    found.passed_over.emplace_back(one.folder.filename().string(), one.reason);
  });
  return found;
}

}  // namespace laconic::checkpoint

// Contents of checkpoints for tests.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <utility>
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

inline bool same_tensors(const NamedTensors& a, NamedTensors b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    const auto found = std::find_if(b.begin(), b.end(), [&, n = name](const auto& entry) { return entry.first == n; });
    if (found == b.end() || found->second.scalar_type() != tensor.scalar_type() || !at::equal(found->second, tensor))
      return false;
  }
  return true;
}

inline bool same_content(const Content& a, const Content& b) {
  return a.state == b.state && a.rollout == b.rollout && same_tensors(a.weights, b.weights) &&
         same_tensors(a.optimizer, b.optimizer);
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

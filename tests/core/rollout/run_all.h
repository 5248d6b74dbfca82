// Runs requests through an engine of their own.
#pragma once

#include <vector>

#include "laconic/core/rollout/engine.h"

namespace laconic::rollout {

// The completions, in the order in which engine.run() has them.
inline std::vector<Completion> run_all(const model::Model& model, const EngineOptions& options,
                                       const std::vector<Request>& requests, EngineStatistics* statistics = nullptr) {
  Engine engine(model, options);
  for (const auto& r : requests) engine.submit(r);
  auto completions = engine.run();
  if (statistics != nullptr) *statistics = engine.statistics();
  return completions;
}

}  // namespace laconic::rollout

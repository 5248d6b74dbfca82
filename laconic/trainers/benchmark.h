// The workloads of docs/benchmarks.md: generation, training, and a whole GRPO step, beside the machine's own bounds.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "laconic/core/model/model.h"

namespace laconic::trainers {

enum class Workload { generate, train, step };

struct BenchmarkOptions {
  Workload workload = Workload::generate;
  int64_t batch = 8;           // generate: sequences; train: sequences of one update
  int64_t prompt_tokens = 32;  // train: tokens of each sequence
  int64_t new_tokens = 128;
  bool natural_length =
      false;  // completions end at exponentially distributed lengths, a quarter of the limit on average
  int64_t prompts = 8, group = 8;  // step
  int64_t micro_batch_tokens = 2048;
  bool recompute = false;
  int64_t repeats = 5, warmup = 1;
  uint64_t seed = 0;
};

// Runs the workload and measures: {"workload", "tokens_per_s": {"median", "min", "max"}, "seconds": {...}, "split",
// "peak_memory_bytes", "machine", "bound_tokens_per_s", "share_of_bound", ...}.
nlohmann::ordered_json run_benchmark(model::Model& model, const BenchmarkOptions& options);

// The result for a person.
std::string describe_benchmark(const nlohmann::ordered_json& result);

}  // namespace laconic::trainers

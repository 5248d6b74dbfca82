// Which of the run configurations a file is: that of `laconic train`, `sft` or `eval`.
#pragma once

#include <string>
#include <vector>

#include "laconic/trainers/run_config.h"

namespace laconic::cli {

const std::vector<std::string>& config_kinds();  // "train", "sft", "eval"

// Calls `work` with a default configuration of the kind.
template <typename Work>
auto with_config(const std::string& kind, const Work& work) {
  if (kind == "sft") return work(trainers::SftConfig());
  if (kind == "eval") return work(trainers::EvalConfig());
  return work(trainers::RlConfig());
}

// The kind that the sections of a file, and of the overrides over it, belong to. A file that cannot be read, and one
// that may be of several kinds, is an Error of kind usage.
std::string guess_kind(const std::string& path, const std::vector<std::string>& overrides);

// The keys of all kinds that hold no section, for overrides without a dot.
std::vector<std::string> top_level_keys();

}  // namespace laconic::cli

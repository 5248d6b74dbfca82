// What a finished run achieved, for a person at a terminal.
#pragma once

#include <filesystem>
#include <string>

namespace laconic::trainers {

// Accuracy and mean tokens before and after with their intervals, a few completions to the same prompts, and where the
// report is. Reads evaluations.jsonl of the run folder; a run without evaluations has the last line alone.
std::string describe_outcome(const std::filesystem::path& run_folder);

}  // namespace laconic::trainers

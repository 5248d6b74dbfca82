// Which of the configurations a file is: that of `laconic train`, `sft`, `eval` or `suite`, or hardware for `plan`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/core/base/error.h"
#include "laconic/core/config/config.h"
#include "laconic/trainers/plan_hardware.h"
#include "laconic/trainers/run_config.h"
#include "laconic/trainers/suite_config.h"

namespace laconic::cli {

const std::vector<std::string>& config_kinds();  // "train", "sft", "eval", "suite", "plan"

// Calls `work` with a default configuration of the kind.
template <typename Work>
auto with_config(const std::string& kind, const Work& work) {
  if (kind == "sft") return work(trainers::SftConfig());
  if (kind == "eval") return work(trainers::EvalConfig());
  if (kind == "suite") return work(trainers::SuiteConfig());
  if (kind == "plan") return work(trainers::PlanHardware());
  return work(trainers::RlConfig());
}

// The kind that the sections of a file, and of the overrides over it, belong to; nothing where it may be several.
std::optional<std::string> kind_by_sections(const std::string& path, const std::vector<std::string>& overrides);
// The same, where several are an Error of kind usage.
std::string guess_kind(const std::string& path, const std::vector<std::string>& overrides);

// "" or, behind an end of line, that the file looks like the configuration of another command.
std::string kind_hint(const std::string& command, const std::string& path, const std::vector<std::string>& overrides);

// Reads the command's file with its overrides; an error also says when the file belongs to another command.
template <typename Config>
void read_config(const CommandLine& line, Config& config) {
  const std::string& path = line.words().front();
  try {
    config::read_from_file(path, line.overrides(), config);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + kind_hint(line.command(), path, line.overrides()));
  }
}

// The keys of all kinds that hold no section, for overrides without a dot.
std::vector<std::string> top_level_keys();

}  // namespace laconic::cli

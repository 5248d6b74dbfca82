// Telling a command's own options from overrides of the configuration that it reads.
//
// An override names a key of the configuration: one with a dot (`--train.steps=200`), or one of the few without
// (`--seed=1`), which the command lists. Both spellings are taken:
//   --train.steps=200
//   --train.steps 200     the next argument is the value unless it begins with `--`: such a value needs the `=`
// Everything else is left for the command's own options, in its order, and everything behind `--`.
#pragma once

#include <string>
#include <vector>

#include "laconic/cli/command.h"

namespace laconic::cli {

struct SplitArguments {
  Arguments rest;
  std::vector<std::string> overrides;  // "--section.key=value" each, as config::read_from_file takes them
};

// An override without a value is an Error of kind usage that shows the spelling.
SplitArguments split_overrides(const Arguments& arguments, const std::vector<std::string>& top_level_keys);

}  // namespace laconic::cli

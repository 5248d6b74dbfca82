// A command of the `laconic` program.
#pragma once

#include <string>
#include <vector>

#include "laconic/cli/streams.h"

namespace laconic::cli {

using Arguments = std::vector<std::string>;

// Headings of the help page, in its order.
enum class CommandGroup { runs, filters, tools };

struct Command {
  std::string name;
  std::string help;  // one line
  CommandGroup group = CommandGroup::tools;
  // Takes what follows the command's name and returns the exit status: 0, or 1 where it finished with failures that it
  // has reported. Everything else is thrown (program.h). `--help` among the arguments prints the command's page.
  int (*run)(const Arguments& arguments, Streams& streams) = nullptr;
};

}  // namespace laconic::cli

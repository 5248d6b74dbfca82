// Runs the program inside of the test, on string streams.
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {

struct Outcome {
  int status = 0;
  std::string out, err;

  std::vector<std::string> lines() const {
    auto all = split(out, '\n');
    all.pop_back();  // behind the last newline
    return all;
  }
  nlohmann::ordered_json json(size_t line = 0) const { return nlohmann::ordered_json::parse(lines().at(line)); }
};

inline Outcome run_cli(const Arguments& arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  Streams streams{in, out, err};
  const int status = run_main(arguments, all_commands(), streams);
  return {status, out.str(), err.str()};
}

}  // namespace laconic::cli

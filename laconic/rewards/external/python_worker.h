// Rewards from Python functions with the signature that TRL's trainers ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace laconic::rewards {

struct PythonFunction {
  std::string name;    // of the reward
  std::string target;  // FILE.py:FUNCTION or package.module:FUNCTION
};

// "a.py:f", "a.py:f, b.py:g", "short=a.py:f". The name is that of the function in lower case, unless it is given. An
// Error of kind usage for anything else, for two rewards of one name and for a file that does not exist.
std::vector<PythonFunction> parse_python(std::string_view text);

// The program that the interpreter runs: python_worker.py of this folder.
std::string_view python_worker_program();

}  // namespace laconic::rewards

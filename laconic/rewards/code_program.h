// A solution and its tests as programs: what to write, build and run, and when a test has passed.
#pragma once

#include <string>
#include <string_view>

#include "laconic/rewards/code_tests.h"
#include "laconic/sandbox/job.h"

namespace laconic::rewards {

enum class OutputRule {
  lines,   // white space at the ends of lines and empty lines at the end do not count
  tokens,  // only the words between white space count
  exact,
};
bool same_output(std::string_view expected, std::string_view found, OutputRule rule);

struct CodeTools {
  std::string python = "python3";
  std::string compiler = "g++";
  std::string flags = "-O1 -std=c++20 -w";
};

// Builds a C++ solution, with every test by statements in one program.
sandbox::Job build_job(const CodeTests& tests, std::string_view solution, const CodeTools& tools,
                       const std::string& folder);

// Runs test `index`. `word` is a secret: a test by statements has passed when it is the last that the program writes,
// which an early exit does not bring about.
sandbox::Job test_job(const CodeTests& tests, size_t index, std::string_view solution, Language language,
                      const CodeTools& tools, const std::string& folder, const std::string& word);
bool has_passed(const CodeTest& test, const sandbox::JobResult& result, OutputRule rule, const std::string& word);

}  // namespace laconic::rewards

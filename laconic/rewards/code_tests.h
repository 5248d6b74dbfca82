// The tests of a programming problem, from the gold field of a data set.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/code_block.h"

namespace laconic::rewards {

struct CodeTest {
  std::string check;            // statements, behind the solution; "" for a test by input and output
  std::string input, expected;  // standard input and output
  bool by_output() const { return check.empty(); }
};

struct CodeTests {
  std::optional<Language> language;  // where the gold field says so
  std::string setup;                 // program text in front of the solution
  std::vector<CodeTest> tests;       // never empty
};

// What a gold field may be:
//   ["assert f(1) == 2", ...]                      statements, each a test (Python's or C++'s)
//   [{"input": "1 2\n", "output": "3\n"}, ...]     standard input and output
//   {"inputs": [...], "outputs": [...]}            the same; with "fn_name" arguments and results of a Python function
//   {"tests": either list, "language": "python" | "cpp", "setup": "import math"}
//   {"test": "def check(candidate): ...", "entry_point": "f"}
//   a text that is no JSON: Python statements, one test
// Anything else is an Error of kind input that says what is wrong.
CodeTests parse_code_tests(std::string_view gold);

}  // namespace laconic::rewards

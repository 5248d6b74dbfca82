// The worked vectors of the algorithms through the program's `score`, all in one call.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/cli/run_program.h"

namespace laconic::cli {
namespace {

using Json = nlohmann::ordered_json;

bool close(const Json& got, const Json& expected, double tolerance) {
  if (expected.is_number()) return got.is_number() && std::abs(got.get<double>() - expected.get<double>()) <= tolerance;
  if (!expected.is_array()) return got == expected;
  if (!got.is_array() || got.size() != expected.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!close(got[i], expected[i], tolerance)) return false;
  }
  return true;
}

TEST(ReferenceScore, WorkedVectors) {
  const auto cases = from_lines(read_file(std::string(LACONIC_SOURCE_DIR) + "/tests/algorithms/vectors.jsonl"));
  std::vector<Json> steps;
  for (const auto& one : cases) {
    steps.push_back(one["input"]);
    steps.back()["id"] = one["name"];
  }
  const auto outcome = run_program({"score"}, to_lines(steps));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto outputs = from_lines(outcome.out);
  ASSERT_EQ(outputs.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(outputs[i]["id"], cases[i]["name"]);
    for (const auto& [key, expected] : cases[i]["expect"].items()) {
      EXPECT_TRUE(outputs[i].contains(key) && close(outputs[i][key], expected, cases[i]["tolerance"].get<double>()))
          << cases[i]["name"] << " " << key << ": expected " << expected << ", got " << outputs[i].dump();
    }
  }
}

}  // namespace
}  // namespace laconic::cli

// The program on what other graders assert about themselves. They contradict each other, so that the counts are a
// report and no verdict.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/cli/run_program.h"
#include "tests/support/test_data.h"

namespace laconic::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
  int agree = 0, strict = 0, lenient = 0, all = 0, left_out = 0;
};

// A published case as lines for `grade`, one per gold answer that would do.
std::vector<Json> lines_of(const Json& published, int number) {
  std::vector<Json> lines;
  const Json& gold = published["gold"];
  for (const auto& one : gold.is_array() ? gold : Json::array({gold})) {
    if (one.is_string() && published["prediction"].is_string())
      lines.push_back({{"gold", one}, {"prediction", published["prediction"]}, {"case", number}});
  }
  return lines;
}

TEST(ReferenceMath, CountsOfAgreement) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("math_equivalence");
  std::map<std::string, Counts> by_file;
  Counts total;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    Counts& counts = by_file[entry.path().stem().string()];
    std::vector<Json> lines;
    std::map<int, bool> expected;
    for (const auto& published : from_lines(read_file(entry.path()))) {
      const auto number = static_cast<int>(expected.size());
      const auto mine = lines_of(published, number);
      // Without a text on either side, or with nothing but a partial score.
      if (mine.empty() || !published["expected"].is_boolean()) {
        ++counts.left_out;
        continue;
      }
      expected[number] = published["expected"];
      lines.insert(lines.end(), mine.begin(), mine.end());
    }
    const auto agreement = [&](const std::string& policy) {
      const auto outcome = run_program({"grade", "--policy", policy}, to_lines(lines));
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      std::map<int, bool> correct;
      for (const auto& line : from_lines(outcome.out))
        correct[line["case"]] = correct[line["case"]] || line["correct"].get<bool>();
      int agree = 0;
      for (const auto& [number, verdict] : expected) agree += correct[number] == verdict ? 1 : 0;
      return agree;
    };
    counts.all = static_cast<int>(expected.size());
    counts.agree = agreement("default");
    counts.strict = agreement("strict");
    counts.lenient = agreement("lenient");
  }
  for (const auto& [name, counts] : by_file) {
    std::printf("%-40s %3d of %3d (strict %3d, lenient %3d), %d left out\n", name.c_str(), counts.agree, counts.all,
                counts.strict, counts.lenient, counts.left_out);
    total.agree += counts.agree;
    total.strict += counts.strict;
    total.lenient += counts.lenient;
    total.all += counts.all;
    total.left_out += counts.left_out;
  }
  std::printf("%-40s %3d of %3d (strict %3d, lenient %3d), %d left out\n", "all", total.agree, total.all, total.strict,
              total.lenient, total.left_out);
  EXPECT_GT(total.all, 300);
}

}  // namespace
}  // namespace laconic::cli

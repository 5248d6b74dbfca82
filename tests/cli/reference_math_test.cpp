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

struct Published {
  std::string file;
  bool expected = false;
};

struct Counts {
  std::map<std::string, int> agree;  // by policy
  int all = 0, left_out = 0;

  void add(const Counts& other) {
    for (const auto& [policy, count] : other.agree) agree[policy] += count;
    all += other.all;
    left_out += other.left_out;
  }
};

// A published case as lines for `grade`, one per gold answer that would do.
std::vector<Json> lines_of(const Json& published, size_t number) {
  std::vector<Json> lines;
  const Json& gold = published["gold"];
  for (const auto& one : gold.is_array() ? gold : Json::array({gold})) {
    if (one.is_string() && published["prediction"].is_string())
      lines.push_back({{"gold", one}, {"prediction", published["prediction"]}, {"case", number}});
  }
  return lines;
}

void print(const std::string& name, const Counts& counts) {
  std::printf("%-40s %3d of %3d (strict %3d, lenient %3d), %d left out\n", name.c_str(), counts.agree.at("default"),
              counts.all, counts.agree.at("strict"), counts.agree.at("lenient"), counts.left_out);
}

TEST(ReferenceMath, CountsOfAgreement) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("math_equivalence");
  std::map<std::string, Counts> by_file;
  std::vector<Published> cases;
  std::vector<Json> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().stem().string();
    for (const auto& published : from_lines(read_file(entry.path()))) {
      const auto mine = lines_of(published, cases.size());
      // Without a text on either side, or with nothing but a partial score.
      if (mine.empty() || !published["expected"].is_boolean()) {
        ++by_file[file].left_out;
        continue;
      }
      ++by_file[file].all;
      cases.push_back({file, published["expected"]});
      lines.insert(lines.end(), mine.begin(), mine.end());
    }
  }
  for (const std::string policy : {"default", "strict", "lenient"}) {
    const auto outcome = run_program({"grade", "--policy", policy}, to_lines(lines));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    std::vector<bool> correct(cases.size());
    for (const auto& line : from_lines(outcome.out)) {
      const size_t number = line["case"];
      correct[number] = correct[number] || line["correct"].get<bool>();
    }
    for (size_t i = 0; i < cases.size(); ++i)
      by_file[cases[i].file].agree[policy] += correct[i] == cases[i].expected ? 1 : 0;
  }
  Counts total;
  for (const auto& [file, counts] : by_file) {
    print(file, counts);
    total.add(counts);
  }
  print("all", total);
  EXPECT_GT(total.all, 300);
}

}  // namespace
}  // namespace laconic::cli

// The program's `score` against advantages, losses, KL estimators and aggregations that other trainers' tests expect.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "tests/cli/rl_golden.h"
#include "tests/cli/run_program.h"
#include "tests/support/test_data.h"

namespace laconic::cli {
namespace {

// All steps of all plans through one run of the program.
class Scores {
 public:
  // Returns the number under which result() knows the plan.
  size_t add(const Plan& plan) {
    begins_.push_back(steps_.size());
    steps_.insert(steps_.end(), plan.steps.begin(), plan.steps.end());
    plans_.push_back(plan);
    return plans_.size() - 1;
  }
  void run() {
    const auto outcome = run_program({"score"}, to_lines(steps_));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    outputs_ = from_lines(outcome.out);
    ASSERT_EQ(outputs_.size(), steps_.size());
  }
  Json result(size_t plan) const {
    const auto begin = outputs_.begin() + static_cast<std::ptrdiff_t>(begins_[plan]);
    return plans_[plan].read({begin, begin + static_cast<std::ptrdiff_t>(plans_[plan].steps.size())});
  }

 private:
  std::vector<Plan> plans_;
  std::vector<size_t> begins_;
  std::vector<Json> steps_, outputs_;
};

bool close(const Json& got, const Json& expected, double absolute, double relative) {
  if (!expected.is_array()) {
    const double value = expected;
    return got.is_number() && std::abs(got.get<double>() - value) <= absolute + relative * std::abs(value);
  }
  if (!got.is_array() || got.size() != expected.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!close(got[i], expected[i], absolute, relative)) return false;
  }
  return true;
}

bool holds(const Json& published, const Json& got, const Json& expected) {
  const std::string op = published["op"];
  const Json tolerance = published.value("tolerance", Json::object());
  // Where the origin gives none it uses its library's own; the numbers are of f32.
  const double absolute = tolerance.value("atol", 1e-6), relative = tolerance.value("rtol", 1e-5);
  if (op == "<") return got.get<double>() < expected.get<double>();
  if (op == "!=") return !close(got, expected, 0, 0);
  if (op == "close" || op == "~=" || op == "==" || op == "equal") return close(got, expected, absolute, relative);
  ADD_FAILURE() << "unknown comparison " << op;
  return false;
}

struct Case {
  Json published;
  size_t plan = 0;
  std::optional<size_t> expected_plan;
};

TEST(ReferenceObjectives, EveryPublishedCase) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("rl_golden");
  Scores scores;
  std::map<std::string, std::vector<Case>> cases;
  std::map<std::string, int> skipped;
  std::map<std::string, std::pair<int, int>> counts;  // of a file: applied, all
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().stem().string();
    for (const auto& published : from_lines(read_file(entry.path()))) {
      ++counts[file].second;
      const Plan plan = plan_of(Call::of_case(published));
      if (!plan.skip.empty()) {
        EXPECT_FALSE(plan.skip.starts_with("unknown function")) << published.dump();
        ++skipped[published["function"].get<std::string>() + " (" + published["origin"].get<std::string>() +
                  "): " + plan.skip];
        continue;
      }
      ++counts[file].first;
      Case one{published, scores.add(plan), {}};
      const Json& expected = published["expected"];
      if (expected.is_object() && expected.contains("call"))
        one.expected_plan = scores.add(plan_of(Call::of_expected(expected)));
      cases[file].push_back(std::move(one));
    }
  }
  ASSERT_NO_FATAL_FAILURE(scores.run());
  int agree = 0, differ = 0, all = 0;
  for (const auto& [file, list] : cases) {
    for (const auto& one : list) {
      const Json got = scores.result(one.plan);
      const Json expected = one.expected_plan ? scores.result(*one.expected_plan) : one.published["expected"];
      const std::string difference = known_difference(one.published);
      const bool same = holds(one.published, got, expected);
      EXPECT_EQ(same, difference.empty()) << one.published.dump() << "\n  got " << got.dump();
      (same ? agree : differ) += 1;
      if (!same)
        std::printf("differs: %s %s: %s, expected %s: %s\n", file.c_str(),
                    one.published["function"].get<std::string>().c_str(), got.dump().c_str(), expected.dump().c_str(),
                    difference.c_str());
    }
  }
  for (const auto& [reason, count] : skipped) std::printf("does not apply: %2d x %s\n", count, reason.c_str());
  for (const auto& [file, count] : counts) {
    std::printf("%-28s %2d of %2d apply\n", file.c_str(), count.first, count.second);
    all += count.second;
  }
  std::printf("%d of %d cases apply: %d agree, %d differ on purpose\n", agree + differ, all, agree, differ);
}

}  // namespace
}  // namespace laconic::cli

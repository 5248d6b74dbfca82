// Verdicts per second of one core on the published cases. Printed; the bound is one that only a mistake can miss.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/base/timer.h"
#include "laconic/rewards/verifier.h"
#include "tests/support/test_data.h"

namespace laconic::rewards {
namespace {

TEST(Speed, OfThePublishedCases) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("math_equivalence");
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      const auto published = nlohmann::json::parse(line);
      if (published["gold"].is_string() && published["prediction"].is_string())
        pairs.emplace_back(published["gold"], published["prediction"]);
    }
  }
  const auto verifier = make_verifier("math");
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const Timer timer;
    for (const auto& [gold, prediction] : pairs)
      (void)verifier->verify({.text = prediction, .truncated = false, .prompt_text = {}}, gold);
    best = std::max(best, static_cast<double>(pairs.size()) / timer.seconds());
  }
  std::printf("%zu cases, %.0f verdicts/s\n", pairs.size(), best);
  EXPECT_GT(best, 1000);
}

}  // namespace
}  // namespace laconic::rewards

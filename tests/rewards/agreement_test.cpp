// Agreement with what thirteen public graders assert about themselves, by origin. Cases on which they contradict each
// other and cases that are no mathematics are left out by name: cases/agreement_exclusions.jsonl says which and why.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/rewards/grade.h"
#include "tests/support/test_data.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::json;

struct Counts {
  int agree = 0, compared = 0, excluded = 0, without_verdict = 0;
};

std::vector<Json> read_lines(const std::filesystem::path& path) {
  std::vector<Json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

// Every field of the rule but `why` must be the case's; `verifier` is one of its options.
bool fits(const Json& rule, const Json& published) {
  return std::all_of(rule.items().begin(), rule.items().end(), [&](const auto& item) {
    if (item.key() == "why") return true;
    const Json& holder = item.key() == "verifier" && published.contains("options") ? published["options"] : published;
    return holder.contains(item.key()) && holder[item.key()] == item.value();
  });
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

bool verdict_of(const Json& published) {
  VerifierOptions options;
  if (published.contains("options") && published["options"].contains("tolerance"))
    options["tolerance"] = published["options"]["tolerance"].dump();
  const Json golds = published["gold"].is_array() ? published["gold"] : Json::array({published["gold"]});
  return std::any_of(golds.begin(), golds.end(), [&](const Json& gold) {
    return grade(text_of(gold), text_of(published["prediction"]), "math", "math_verify", options).correct;
  });
}

TEST(Agreement, WithThirteenPublicGraders) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("math_equivalence");
  const auto rules = read_lines(std::string(LACONIC_SOURCE_DIR) + "/tests/rewards/cases/agreement_exclusions.jsonl");
  std::map<std::string, Counts> origins;
  std::vector<bool> used(rules.size());
  Counts total;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    for (const auto& published : read_lines(entry.path())) {
      Counts& counts = origins[published["origin"]];
      if (!published["expected"].is_boolean()) {
        ++counts.without_verdict;
        continue;
      }
      const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Json& r) { return fits(r, published); });
      if (rule != rules.end()) {
        used[static_cast<size_t>(rule - rules.begin())] = true;
        ++counts.excluded;
        continue;
      }
      const bool same = verdict_of(published) == published["expected"].get<bool>();
      counts.agree += same ? 1 : 0;
      ++counts.compared;
      if (!same) std::printf("differs: %s\n", published.dump().c_str());
    }
  }
  for (const auto& [origin, counts] : origins) {
    std::printf("%-16s %3d of %3d, %2d excluded, %2d without a verdict\n", origin.c_str(), counts.agree,
                counts.compared, counts.excluded, counts.without_verdict);
    total.agree += counts.agree;
    total.compared += counts.compared;
  }
  std::printf("%-16s %3d of %3d, %.1f %%\n", "all", total.agree, total.compared, 100.0 * total.agree / total.compared);
  EXPECT_GE(total.agree, 0.97 * total.compared);
  for (size_t i = 0; i < rules.size(); ++i) EXPECT_TRUE(used[i]) << "excludes nothing: " << rules[i].dump();
}

}  // namespace
}  // namespace laconic::rewards

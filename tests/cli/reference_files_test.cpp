// Every file of published cases is read by some test: a new one is noticed here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "tests/support/test_data.h"

namespace laconic::cli {
namespace {

// By folder, the files and where they are read: all of a folder, or one by one.
const std::map<std::string, std::set<std::string>> kRead = {
    // reference_text_test.cpp, tests/core/text
    {"tokenizer_vectors", {"gpt2.jsonl", "qwen2_mini_vocab.json", "torchtune_tiny_qwen.jsonl"}},
    {"chat_templates", {"chat_template_rendered_reference.jsonl.gz", "jinja_features_hfjs.jsonl", "templates"}},
    {"tokenizers", {"deepseek_r1_distill", "gpt2", "qwen2.5", "qwen3", "torchtune_tiny"}},
    // reference_model_test.cpp, tests/core/policy, tests/core/rollout, tests/trainers
    {"golden_models",
     {"README.md", "tiny-llama", "tiny-mistral", "tiny-qwen2", "tiny-qwen2-sharded", "tiny-qwen2-untied", "tiny-qwen3",
      "tiny-qwen3-bf16"}},
    {"checkpoints", {"stories260K"}},
    // tests/core/data, tests/rewards
    {"math",
     {"countdown_cd3_test.jsonl", "deepscaler_part_math_train.jsonl.gz", "game24.csv", "gsm8k_test.jsonl.gz",
      "gsm8k_train.jsonl.gz", "math500.jsonl.gz"}},
    // tests/rewards; that of tunix holds toy rewards of its own tests alone
    {"reward_cases",
     {"reward_cases_open_r1.jsonl", "reward_cases_slime.jsonl", "reward_cases_torchforge.jsonl",
      "reward_cases_trl.jsonl", "reward_cases_tunix.jsonl"}}};

// Read as whole folders: reference_rl_test.cpp and reference_math_test.cpp.
const std::set<std::string> kWholeFolders = {"rl_golden", "math_equivalence"};

TEST(ReferenceFiles, NoneIsForgotten) {
  const auto root = LACONIC_TEST_DATA_OR_SKIP("");
  for (const auto& folder : std::filesystem::directory_iterator(root)) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename().string();
    if (kWholeFolders.contains(name)) continue;
    const auto known = kRead.find(name);
    ASSERT_NE(known, kRead.end()) << "no test reads " << name;
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      found.insert(entry.path().filename().string());
    EXPECT_EQ(found, known->second) << name;
  }
}

}  // namespace
}  // namespace laconic::cli

// The program on reference checkpoints: logprobs, entropies, losses and greedy tokens of other implementations.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/cli/run_program.h"
#include "tests/support/golden_model.h"

namespace laconic::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kTolerance = 1e-4;  // what the reference's README calls fair for f32

struct Deviation {
  int64_t compared = 0;
  double largest = 0;
  void add(double got, double expected) {
    ++compared;
    const double difference = std::abs(got - expected);
    largest = difference <= largest ? largest : difference;
  }
};

// Statistics of every variant at one temperature against the reference; returns the mean negative logprob by variant.
std::map<std::string, double> check_statistics(const std::string& model, const GoldenModel& golden,
                                               const std::string& temperature, const std::string& dtype,
                                               Deviation& logprobs, Deviation& entropies) {
  std::vector<Json> lines;
  for (const std::string variant : {"full", "left", "right"}) {
    for (const auto& row : golden.rows(variant)) lines.push_back({{"ids", row.ids}});
  }
  const auto outcome =
      run_program({"logprobs", "--model", model, "--temperature", temperature, "--dtype", dtype}, to_lines(lines));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto results = from_lines(outcome.out);
  std::map<std::string, double> losses;
  size_t line = 0;
  for (const std::string variant : {"full", "left", "right"}) {
    const auto expected = golden.tensors.tensor(variant + ".logprob.t" + temperature);
    const auto entropy = golden.tensors.tensor(variant + ".entropy.t" + temperature);
    double sum = 0, count = 0;
    int64_t row_index = 0;
    for (const auto& row : golden.rows(variant)) {
      const Json& result = results.at(line++);
      EXPECT_EQ(result["logprobs"].size(), row.ids.size() - 1);
      for (size_t t = 0; t + 1 < row.ids.size(); ++t) {
        const auto column = row.begin + static_cast<int64_t>(t);
        const double logprob = result["logprobs"][t];
        logprobs.add(logprob, expected[row_index][column].item<double>());
        entropies.add(result["entropies"][t], entropy[row_index][column].item<double>());
        sum -= logprob;
        ++count;
      }
      ++row_index;
    }
    losses[variant] = sum / count;
  }
  return losses;
}

class ReferenceModel : public testing::TestWithParam<std::string> {};

TEST_P(ReferenceModel, LogprobsAndEntropies) {
  const std::string name = GetParam();
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + name);
  // The sharded folder has the weights of tiny-qwen2 and no numbers of its own.
  const std::string numbers = name == "tiny-qwen2-sharded" ? "tiny-qwen2" : name;
  const GoldenModel golden(*test_data("golden_models/" + numbers));
  for (const std::string temperature : {"1.0", "0.7"}) {
    for (const std::string dtype : {"f32", "bf16"}) {
      if (dtype == "bf16" && name != "tiny-qwen3-bf16") continue;  // the others' weights are not bf16 numbers
      Deviation logprobs, entropies;
      const auto losses = check_statistics(folder.string(), golden, temperature, dtype, logprobs, entropies);
      EXPECT_LE(logprobs.largest, kTolerance);
      EXPECT_LE(entropies.largest, kTolerance);
      if (temperature == "1.0") {
        for (const auto& [variant, loss] : losses) {
          EXPECT_NEAR(loss, golden.json["nll." + variant].get<double>(), kTolerance * loss) << variant;
        }
      }
      std::printf("%s %s T %s: %ld tokens, logprobs within %.2g, entropies within %.2g\n", name.c_str(), dtype.c_str(),
                  temperature.c_str(), static_cast<long>(logprobs.compared), logprobs.largest, entropies.largest);
    }
  }
}

void check_greedy(const std::string& model, const nlohmann::json& cases, const std::string& dtype) {
  std::vector<Json> lines;
  for (const auto& one : cases)
    lines.push_back({{"prompt_ids", one["prompt"]},
                     {"temperature", 0},
                     {"max_tokens", one["tokens"].size()},
                     {"ignore_eos", true}});
  const auto outcome = run_program({"generate", "--model", model, "--dtype", dtype}, to_lines(lines));
  ASSERT_EQ(outcome.status, 0) << outcome.err << outcome.out;
  const auto results = from_lines(outcome.out);
  Deviation logprobs;
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto& completion = results.at(i)["completions"][0];
    EXPECT_EQ(completion["ids"].dump(), cases[i]["tokens"].dump());
    for (size_t t = 0; t < cases[i]["tokens"].size(); ++t)
      logprobs.add(completion["logprobs"][t], cases[i]["logprobs"][t].get<double>());
    EXPECT_EQ(completion["finish_reason"], "length");
  }
  EXPECT_LE(logprobs.largest, kTolerance);
  std::printf("%s %s: %ld greedy tokens, logprobs within %.2g\n", model.substr(model.rfind('/') + 1).c_str(),
              dtype.c_str(), static_cast<long>(logprobs.compared), logprobs.largest);
}

TEST_P(ReferenceModel, GreedyTokens) {
  const std::string name = GetParam();
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + name);
  const std::string numbers = name == "tiny-qwen2-sharded" ? "tiny-qwen2" : name;
  const auto golden = nlohmann::json::parse(read_file(*test_data("golden_models/" + numbers + "/golden.json")));
  check_greedy(folder.string(), golden["greedy"], "f32");
  if (name == "tiny-qwen3-bf16") check_greedy(folder.string(), golden["greedy"], "bf16");
  if (!std::filesystem::exists(folder / "config_v4.json") || name == "tiny-qwen2-sharded") return;
  // The same model described in the older style.
  const TemporaryFolder old;
  std::filesystem::copy(folder / "config_v4.json", old / "config.json");
  std::filesystem::create_symlink(std::filesystem::absolute(folder / "model.safetensors"), old / "model.safetensors");
  check_greedy(old.path().string(), golden["greedy"], "f32");
}

INSTANTIATE_TEST_SUITE_P(Golden, ReferenceModel,
                         testing::Values("tiny-qwen2", "tiny-qwen2-untied", "tiny-qwen2-sharded", "tiny-qwen3",
                                         "tiny-llama", "tiny-mistral", "tiny-qwen3-bf16"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ReferenceStories, GreedyTokensAndLogprobs) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("checkpoints/stories260K");
  const auto golden = nlohmann::json::parse(read_file(folder / "golden.json"));
  const auto all = golden["greedy_tokens"].get<std::vector<int32_t>>();
  const auto expected = golden["greedy_logprobs"].get<std::vector<double>>();
  const std::vector<int32_t> tokens(all.begin() + 1, all.end());  // behind the begin token
  const auto drawn = run_program(
      {"generate", "--model", folder.string()},
      Json{{"prompt_ids", {all[0]}}, {"temperature", 0}, {"max_tokens", tokens.size()}, {"ignore_eos", true}}.dump());
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  const auto completion = drawn.json()["completions"][0];
  EXPECT_EQ(completion["ids"].get<std::vector<int32_t>>(), tokens);
  const auto scored = run_program({"logprobs", "--model", folder.string()}, Json{{"ids", all}}.dump()).json();
  Deviation while_drawing, while_scoring;
  for (size_t t = 0; t < expected.size(); ++t) {
    while_drawing.add(completion["logprobs"][t], expected[t]);
    while_scoring.add(scored["logprobs"][t], expected[t]);
  }
  EXPECT_LE(while_drawing.largest, kTolerance);
  EXPECT_LE(while_scoring.largest, kTolerance);
  std::printf("stories260K: %zu greedy tokens, %zu logprobs within %.2g (drawn) and %.2g (scored)\n", tokens.size(),
              expected.size(), while_drawing.largest, while_scoring.largest);
}

}  // namespace
}  // namespace laconic::cli

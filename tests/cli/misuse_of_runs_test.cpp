// Wrong configurations and broken inputs of `train`, `sft` and `eval`, case by case from misuse_of_runs.jsonl: each
// ends with a status, one readable paragraph that names the place, and nothing left behind.
//
// A case is {"name", "command", "says": [parts of standard error], "status" (2)} and what is wrong in it:
//   "yaml": [[text, replacement], ...] of the command's configuration, or a text that stands for all of it
//   "arguments": [...]       behind the configuration
//   "data": text             of the data file instead of a good one; null: there is none
//   "model": {file: text}    files of the model folder instead of good ones; null: there is none
//   "config_json": {key: value}   keys of the model's config.json; null: there is none
//   "weights": name          of a way to damage them, below
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "laconic/core/model/safetensors.h"
#include "tests/cli/run_cli.h"
#include "tests/cli/small_model.h"

namespace laconic::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

std::string good_configuration(const std::string& command) {
  const std::string common =
      "model: {path: @/model}\n"
      "data: {path: @/data.jsonl, prompt_column: question, %}\n"
      "output: {folder: @/out}\n";
  const auto with = [&](const std::string& column, const std::string& rest) {
    std::string text = common;
    return text.replace(text.find('%'), 1, column) + rest;
  };
  if (command == "sft")
    return with("response_column: answer", "optimizer: {lr: 1.0e-3}\ntrain:\n  steps: 1\n  batch_size: 2\n");
  const std::string sampling = "rollout:\n  max_tokens: 4\nreward: {verifier: exact}\n";
  if (command == "eval") return with("answer_column: answer", sampling);
  return with("answer_column: answer", sampling +
                                           "objective:\n  name: grpo\n  group_size: 2\noptimizer: {lr: 1.0e-3}\n"
                                           "train:\n  steps: 1\n  prompts_per_step: 2\n");
}

const std::string kGoodData = "{\"question\": \"a b\", \"answer\": \"c\"}\n{\"question\": \"b\", \"answer\": \"d\"}\n";

void change_tensors(const fs::path& weights, const std::function<void(Tensors&)>& change) {
  Tensors tensors;
  {
    const model::SafetensorsFile file(weights);
    for (const auto& name : file.names()) tensors.emplace_back(name, file.tensor(name).clone());
  }
  change(tensors);
  model::write_safetensors(weights, tensors);
}

void damage(const fs::path& weights, const std::string& how) {
  const auto tensor = [](Tensors& all, const std::string& name) -> at::Tensor& {
    return std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.first == name; })->second;
  };
  const auto bytes = read_file(weights);
  if (how == "truncated") write_file_atomic(weights, bytes.substr(0, bytes.size() - 100));
  if (how == "empty") write_file_atomic(weights, "");
  if (how == "long header") write_file_atomic(weights, std::string(8, '\xff') + bytes.substr(8));
  if (how == "no header") write_file_atomic(weights, bytes.substr(0, 8) + "x" + bytes.substr(9));
  if (how == "not finite")
    change_tensors(weights, [&](Tensors& all) { tensor(all, "model.norm.weight")[1] = std::nanf(""); });
  if (how == "missing")
    change_tensors(weights,
                   [](Tensors& all) { std::erase_if(all, [](auto& e) { return e.first == "model.norm.weight"; }); });
  if (how == "extra") change_tensors(weights, [](Tensors& all) { all.emplace_back("model.norm.bias", at::ones({2})); });
  if (how == "misshapen")
    change_tensors(weights, [&](Tensors& all) { tensor(all, "model.norm.weight") = at::ones({3}); });
}

std::vector<Json> cases() {
  std::vector<Json> all;
  for (const auto& line : split(read_file(LACONIC_SOURCE_DIR "/tests/cli/misuse_of_runs.jsonl"), '\n'))
    if (!line.empty()) all.push_back(Json::parse(line));
  return all;
}

class MisuseOfRuns : public testing::TestWithParam<Json> {
 protected:
  // `@` stands for the folder of the case.
  std::string placed(std::string text) const {
    for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at))
      text.replace(at, 1, folder_.path().string());
    return text;
  }
  void write(const std::string& name, const Json& text, const std::string& good) const {
    if (text.is_null()) return;
    write_file_atomic(folder_ / name, text.is_string() ? text.get<std::string>() : good);
  }
  void prepare(const Json& wrong) const {
    std::string yaml = good_configuration(wrong["command"]);
    if (wrong.contains("yaml") && wrong["yaml"].is_string()) yaml = wrong["yaml"];
    if (wrong.contains("yaml") && wrong["yaml"].is_array()) {
      for (const auto& change : wrong["yaml"]) {
        const std::string from = change[0];
        ASSERT_NE(yaml.find(from), std::string::npos) << from << " in\n" << yaml;
        yaml.replace(yaml.find(from), from.size(), change[1].get<std::string>());
      }
    }
    write_file_atomic(folder_ / "run.yaml", placed(yaml));
    write("data.jsonl", wrong.contains("data") ? wrong["data"] : Json(kGoodData), "");
    fs::copy(model_.path(), folder_ / "model", fs::copy_options::recursive);
    damage_model(wrong);
  }
  void damage_model(const Json& wrong) const {
    const auto model = folder_ / "model";
    if (wrong.contains("config_json")) {
      auto config = Json::parse(read_file(model / "config.json"));
      for (const auto& [key, value] : wrong["config_json"].items()) {
        config.erase(key);
        if (!value.is_null()) config[key] = value;
      }
      write_file_atomic(model / "config.json", config.dump());
    }
    const Json files = wrong.value("model", Json::object());
    for (const auto& [name, text] : files.items()) {
      fs::remove(model / name);
      write("model/" + name, text, "");
    }
    if (wrong.contains("weights")) damage(model / "model.safetensors", wrong["weights"]);
  }

  static void SetUpTestSuite() { shared_ = std::make_unique<SmallModel>(); }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::unique_ptr<SmallModel> shared_;
  const SmallModel& model_ = *shared_;
  TemporaryFolder folder_;
};

std::unique_ptr<SmallModel> MisuseOfRuns::shared_;

TEST_P(MisuseOfRuns, EndsInOneReadableParagraph) {
  const Json& wrong = GetParam();
  ASSERT_NO_FATAL_FAILURE(prepare(wrong));
  Arguments arguments = {wrong["command"], placed("@/run.yaml")};
  const Json more = wrong.value("arguments", Json::array());
  for (const auto& argument : more) arguments.push_back(placed(argument));
  const auto outcome = run_cli(arguments);
  EXPECT_EQ(outcome.status, wrong.value("status", 2)) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  for (const auto& part : wrong["says"]) EXPECT_THAT(outcome.err, HasSubstr(placed(part)));
  EXPECT_THAT(outcome.err, testing::StartsWith("laconic " + wrong["command"].get<std::string>() + ": error: "));
  EXPECT_LT(outcome.err.size(), 1000u);
  EXPECT_EQ(outcome.err.find("exception"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find("mistake of laconic"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "out")) << "left behind";
}

INSTANTIATE_TEST_SUITE_P(Cases, MisuseOfRuns, testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param["name"];
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

// The good ones are good: what a case says is what is wrong in it.
TEST_F(MisuseOfRuns, UnchangedCasesSucceed) {
  for (const char* command : {"train", "sft", "eval"}) {
    prepare({{"command", command}});
    const auto outcome = run_cli({command, placed("@/run.yaml")});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(fs::exists(folder_ / "out/summary.json"));
    fs::remove_all(folder_ / "out");
    fs::remove_all(folder_ / "model");
  }
}

}  // namespace
}  // namespace laconic::cli

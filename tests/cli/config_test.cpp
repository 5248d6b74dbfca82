#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/cli/config_kind.h"
#include "laconic/core/base/files.h"
#include "laconic/core/config/config.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Those of one run, which share their sections; `suite` describes many.
const std::vector<std::string> kRuns = {"train", "sft", "eval"};

class ConfigCommand : public testing::Test {
 protected:
  std::string file(const std::string& text) {
    write_file_atomic(folder_ / "run.yaml", text);
    return (folder_ / "run.yaml").string();
  }
  const std::string train_ =
      "model: {path: /m}\ndata: {path: d.jsonl}\nobjective: {name: grpo}\noutput: {folder: out}\n";
  const std::string sft_ = "model: {path: /m}\ndata: {path: d.jsonl}\ntrain: {epochs: 2}\noutput: {folder: out}\n";
  const std::string eval_ = "model: {path: /m}\ndata: {path: d.jsonl}\neval: {temperature: 0}\noutput: {folder: out}\n";
  const std::string open_ = "model: {path: /m}\ndata: {path: d.jsonl}\noutput: {folder: out}\n";

 private:
  TemporaryFolder folder_;
};

TEST_F(ConfigCommand, ChecksEveryKind) {
  for (const auto& [text, kind] : {std::pair(train_, "train"), {sft_, "sft"}, {eval_, "eval"}}) {
    const std::string path = file(text);
    const auto outcome = run_cli({"config", "check", path});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, path + ": a valid configuration of `laconic " + kind + "`\n");
  }
  const auto open = run_cli({"config", "check", file(open_)});
  EXPECT_EQ(open.status, 2);
  EXPECT_THAT(open.err, HasSubstr("add --kind"));
  for (const auto& kind : kRuns) EXPECT_EQ(run_cli({"config", "check", file(open_), "--kind", kind}).status, 0);
  EXPECT_EQ(run_cli({"config", "check", file(open_), "--train.batch_size=4"}).status, 0) << "overrides tell the kind";
}

TEST_F(ConfigCommand, SaysEverythingThatIsWrong) {
  const auto outcome =
      run_cli({"config", "check", file(train_ + "train: {stepz: 3, steps: many}\n"), "--objective.group_size", "0"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("run.yaml:5:9: train.stepz: unknown key (did you mean `train.steps`?)"));
  EXPECT_THAT(outcome.err, HasSubstr("train.steps: expected a whole number"));
  EXPECT_THAT(outcome.err, HasSubstr("--objective.group_size=0"));
  EXPECT_THAT(run_cli({"config", "check", file("")}).err, HasSubstr("the file holds no values"));
  EXPECT_THAT(run_cli({"config", "check", file("a: [")}).err, HasSubstr("run.yaml:1:"));
}

TEST_F(ConfigCommand, ShowReadsBackToTheSame) {
  const auto first = run_cli({"config", "show", file(train_), "--train.steps", "9", "--seed=4"});
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, StartsWith("# configuration of `laconic train`"));
  EXPECT_THAT(first.out, HasSubstr("steps: 9"));
  EXPECT_THAT(first.out, HasSubstr("seed: 4"));
  EXPECT_EQ(run_cli({"config", "show", file(first.out)}).out, first.out);
}

TEST_F(ConfigCommand, Explains) {
  const auto common = run_cli({"config", "explain", "optimizer.lr"});
  EXPECT_THAT(common.out, StartsWith("laconic train, sft\n\noptimizer.lr: number >= 0"));
  EXPECT_THAT(run_cli({"config", "explain", "seed"}).out, StartsWith("laconic train, sft, eval\n\nseed: "));
  EXPECT_THAT(run_cli({"config", "explain", "train.batch_size", "--kind", "sft"}).out,
              StartsWith("train.batch_size: "));
  const auto different = run_cli({"config", "explain", "train.steps"}).out;
  EXPECT_THAT(different, HasSubstr("laconic train\n"));
  EXPECT_THAT(different, HasSubstr("laconic sft\n"));
  EXPECT_THAT(run_cli({"config", "explain"}).out, HasSubstr("objective.loss.kind"));
}

TEST_F(ConfigCommand, SchemaAndReference) {
  for (const auto& kind : config_kinds()) {
    const auto outcome = run_cli({"config", "schema", "--kind", kind});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(nlohmann::json::parse(outcome.out)["title"], "laconic " + kind);
  }
  const auto page = run_cli({"config", "reference"}).out;
  EXPECT_THAT(page, StartsWith("# Configuration\n"));
  for (const char* text : {"\n## `laconic train`\n", "\n## `laconic sft`\n", "\n## `laconic eval`\n",
                           "\n### `objective.loss`\n", "| `lr` |"})
    EXPECT_THAT(page, HasSubstr(text));
  EXPECT_THAT(page, Not(HasSubstr("\n# ")));
}

// The keys without a dot that overrides may name are those of the configurations.
TEST_F(ConfigCommand, TopLevelKeys) {
  for (const auto& kind : kRuns) {
    const auto values = with_config(kind, [](const auto& config) { return config::dump_json(config); });
    std::vector<std::string> plain;
    for (const auto& [key, value] : values.items()) {
      if (!value.is_object() && key != "eval_data") plain.push_back(key);
    }
    EXPECT_EQ(plain, top_level_keys()) << kind;
  }
}

}  // namespace
}  // namespace laconic::cli

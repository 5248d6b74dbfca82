// Wrong invocations: what is said, and the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "laconic/core/base/files.h"
#include "tests/cli/run_cli.h"
#include "tests/cli/small_model.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;

struct Misuse {
  Arguments arguments;
  int status;
  std::string message;  // part of standard error
};

class Misuses : public testing::Test {
 protected:
  void check(const std::vector<Misuse>& cases) {
    for (const auto& wrong : cases) {
      SCOPED_TRACE("laconic " + join(wrong.arguments, " "));
      const auto outcome = run_cli(wrong.arguments, "");
      EXPECT_EQ(outcome.status, wrong.status);
      EXPECT_EQ(outcome.out, "");
      EXPECT_THAT(outcome.err, HasSubstr(wrong.message));
      EXPECT_LT(outcome.err.size(), 600u) << "one paragraph";
      EXPECT_EQ(outcome.err.find("0x7f"), std::string::npos) << "no backtrace";
    }
  }
  std::string file(const std::string& name, const std::string& text) {
    write_file_atomic(model_ / name, text);
    return (model_ / name).string();
  }

  SmallModel model_;
  const std::string path_ = model_.path();
};

TEST_F(Misuses, OfTheProgram) {
  check({
      {{"tokenise"}, 2, "laconic: error: unknown command `tokenise` (did you mean `tokenize`?)"},
      {{"frobnicate"}, 2, "unknown command `frobnicate`; `laconic --help` lists the commands"},
      {{""}, 2, "unknown command ``"},
      {{"--versoin"}, 2, "unknown option `--versoin` (did you mean `--version`?)"},
      {{"-x"}, 2, "unknown option `-x`"},
      {{"help", "grde"}, 2, "unknown command `grde` (did you mean `grade`?)"},
      {{"help", "a", "b"}, 2, "help: expected one command, found 2 words"},
  });
  const auto nothing = run_cli({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("Usage: laconic COMMAND"));
}

TEST_F(Misuses, OfOptions) {
  check({
      {{"grade", "--polcy", "x"}, 2, "laconic grade: error: unknown option `--polcy` (did you mean `--policy`?)"},
      {{"grade", "--pol=strict"}, 2, "unknown option `--pol`"},
      {{"grade", "--policy"}, 2, "--policy"},
      {{"grade", "--policy", "strickt"},
       2,
       "--policy: expected one of default, math_verify, strict, lenient, found `strickt` (did"},
      {{"grade", "--policy", "strict", "--policy", "strict"}, 2, "more than once"},
      {{"grade", "--verifier", "maths"}, 2, "found `maths` (did you mean `math`?)"},
      {{"grade", "--verifier", "exact", "--policy", "strict"}, 2, "--policy: expected one of default, found `strict`"},
      {{"grade", "file.jsonl"}, 2, "unexpected argument `file.jsonl`; see `laconic grade --help`"},
      {{"grade", "--fail-fast=yes"}, 2, "--fail-fast"},
      {{"grade", "--threads", "two"}, 2, "--threads: expected a whole number from 0 to 4096, found `two`"},
      {{"grade", "--threads", "-1"}, 2, "found `-1`"},
      {{"generate", "--model", path_, "--seed", "1.5"}, 2, "--seed: expected a whole number"},
      {{"generate", "--model", path_, "--seed", "99999999999999999999"}, 2, "--seed: expected a whole number"},
      {{"generate", "--model", path_, "--batch-tokens", "0"}, 2, "--batch-tokens: expected a whole number from 1"},
      {{"generate", "--model", path_, "--dtype", "fp32"},
       2,
       "--dtype: expected one of f32, bf16, found `fp32` (did you"},
      {{"logprobs", "--model", path_, "--device", "gpu"}, 2, "--device: expected one of cpu, cuda, found `gpu`"},
      {{"generate", "--model", path_, "--device", "cuda"}, 1, "--device cuda: liblaconic_cuda.so not found beside"},
      {{"logprobs", "--model", path_, "--temperature", "0"},
       2,
       "--temperature: expected a number from 1e-06 on, found 0"},
      {{"logprobs", "--model", path_, "--temperature", "warm"}, 2, "--temperature: expected a number, found `warm`"},
      {{"render", "--date", "10.7.2025"}, 2, "--date: expected a day such as 2025-07-10"},
      {{"render", "--template", "a", "--model", "b"}, 2, "expected one of --model, --template and --template-dir"},
  });
}

TEST_F(Misuses, OfFiles) {
  const std::string empty = file("empty.json", ""), word = file("word.json", "{\"a\":1}");
  check({
      {{"tokenize"}, 2, "the option --tokenizer is missing; see `laconic tokenize --help`"},
      {{"tokenize", "--tokenizer", "/nowhere"}, 2, "--tokenizer /nowhere: cannot open /nowhere: No such file"},
      {{"tokenize", "--tokenizer", empty}, 2, "--tokenizer " + empty},
      {{"detokenize", "--tokenizer", word}, 2, "--tokenizer " + word},
      {{"generate"}, 2, "the option --model is missing"},
      {{"generate", "--model", "/nowhere"}, 2, "--model /nowhere"},
      {{"generate", "--model", "/usr"}, 2, "--model /usr"},
      {{"logprobs", "--model", word}, 2, "--model " + word},
      {{"render", "--template", "/nowhere"}, 2, "--template /nowhere: cannot open"},
      {{"render", "--template", file("bad.jinja", "{% if %}")}, 2, "bad.jinja:1:"},
      {{"render", "--template-dir", word}, 2, "expected a folder, found a file"},
      {{"render", "--template-dir", "/nowhere"}, 2, "expected a folder, found nothing"},
      {{"grade", "--input", "/nowhere"}, 2, "--input /nowhere: cannot open it: No such file or directory"},
      {{"grade", "--input", path_}, 2, "expected a file, found a folder"},
      {{"grade", "--output", path_}, 2, "--output " + path_ + ": expected a file, found a folder"},
      {{"grade", "--output", "/nowhere/x"}, 2, "--output /nowhere/x"},
  });
}

TEST_F(Misuses, OfConfig) {
  const std::string run = file("run.yaml", "objective: {name: grpo}\n");
  check({
      {{"config"}, 2, "expected check|show|explain|schema|reference [FILE or KEY], found nothing"},
      {{"config", "chek"}, 2, "expected one of check, explain, show, schema, reference, found `chek` (did you mean"},
      {{"config", "check"}, 2, "check: expected a file, found nothing"},
      {{"config", "check", "/nowhere.yaml"}, 2, "/nowhere.yaml: expected a YAML file; cannot open"},
      {{"config", "check", path_}, 2, "expected a YAML file, found a folder"},
      {{"config", "check", run}, 2, "model.path"},
      {{"config", "check", run, "--kind", "training"}, 2, "--kind: expected one of train, sft, eval"},
      {{"config", "check", run, "--train.steps"}, 2, "--train.steps: expected a value; write --train.steps=VALUE"},
      {{"config", "check", run, "--train.stepz=1"}, 2, "did you mean `train.steps`?"},
      {{"config", "check", run, "b.yaml"}, 2, "unexpected argument `b.yaml`"},
      {{"config", "explain", "objective.los"}, 2, "did you mean `objective.loss`?"},
      {{"config", "explain", "--train.steps=1"}, 2, "explain reads no file, so that --train.steps=1 has no effect"},
      {{"config", "schema"}, 2, "schema: expected --kind train|sft|eval"},
      {{"config", "reference", "x"}, 2, "unexpected argument `x`"},
      {{"doctor", "me"}, 2, "unexpected argument `me`"},
  });
}

}  // namespace
}  // namespace laconic::cli

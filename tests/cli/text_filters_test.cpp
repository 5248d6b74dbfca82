// tokenize, detokenize, render, grade and score on small inputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/run_cli.h"
#include "tests/cli/small_model.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

TEST(Tokenize, FolderAndFile) {
  const SmallModel model;
  const std::string input = "{\"text\":\"a b <eos> z\",\"id\":1}\n{\"text\":\"\"}\n{\"text\":\"a 7\"}\n";
  for (const auto& path : {model.path(), (model / "tokenizer.json").string()}) {
    const auto outcome = run_cli({"tokenize", "--tokenizer", path}, input);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.lines()[0], "{\"id\":1,\"ids\":[5,6,1,30]}");
    EXPECT_EQ(outcome.lines()[1], "{\"ids\":[]}");
    EXPECT_EQ(outcome.json(2)["error"]["kind"], "input") << "no word 7";
  }
}

TEST(Detokenize, SpecialTokensAndWrongIds) {
  const SmallModel model;
  const auto outcome =
      run_cli({"detokenize", "--tokenizer", model.path()},
              "{\"ids\":[5,1,2,6]}\n{\"ids\":[5,1,2,6],\"skip_special_tokens\":true}\n{\"ids\":[]}\n{\"ids\":[60,5]}\n"
              "{\"ids\":[-1]}\n{\"ids\":[5.5]}\n{\"ids\":[2147483648]}\n{\"ids\":7}\n{\"ids\":[true]}\n");
  EXPECT_EQ(outcome.json(0)["text"], "a <eos> <think> b");
  EXPECT_EQ(outcome.json(1)["text"], "a <think> b");
  EXPECT_EQ(outcome.json(2)["text"], "");
  EXPECT_EQ(outcome.json(3)["text"], "a") << "a padding row of the model's head";
  EXPECT_EQ(outcome.json(4)["error"]["message"],
            "ids[0]: expected a token id (a whole number >= 0), found the number -1");
  for (size_t line : {5u, 6u, 8u}) EXPECT_THAT(outcome.lines()[line], HasSubstr("ids[0]: expected a token id"));
  EXPECT_THAT(outcome.lines()[7], HasSubstr("ids: expected a list of token ids, found the number 7"));
}

TEST(Render, EverySourceOfTemplates) {
  const SmallModel model;
  const std::string message = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
  const auto own =
      run_cli({"render", "--model", model.path()}, "{" + message + ",\"add_generation_prompt\":true}\n{" + message +
                                                       ",\"context\":{\"eos_token\":\"!\"}}\n{\"messages\":\"x\"}\n");
  EXPECT_EQ(own.json(0)["text"], "user: hi <eos> assistant:");
  EXPECT_EQ(own.json(1)["text"], "user: hi ! ");
  EXPECT_THAT(own.lines()[2], HasSubstr("messages: expected a list of messages, found the string"));

  write_file_atomic(model / "t.jinja", "{{ messages[0].content }}{{ tools }}{{ x }}");
  const auto file = run_cli({"render", "--template", (model / "t.jinja").string()},
                            "{" + message + ",\"tools\":[1],\"context\":{\"x\":\"y\"}}\n{" + message + "}\n");
  EXPECT_EQ(file.json(0)["text"], "hi[1]y");
  EXPECT_EQ(file.json(1)["text"], "hiNone");

  const auto folder = run_cli({"render", "--template-dir", model.path()},
                              "{" + message + ",\"template_file\":\"t.jinja\"}\n{" + message +
                                  ",\"template_file\":\"../t.jinja\"}\n{" + message + ",\"template_file\":\"u\"}\n");
  EXPECT_EQ(folder.lines()[0], "{\"text\":\"hiNone\"}");
  EXPECT_THAT(folder.lines()[1], HasSubstr("template_file: expected a file below"));
  EXPECT_THAT(folder.lines()[2], HasSubstr("No such file"));

  const auto line = run_cli({"render"}, "{" + message + ",\"template\":\"{{ 1 + }}\"}\n{" + message +
                                            ",\"template\":\"x{{ messages|length }}\",\"template_file\":1}\n");
  EXPECT_THAT(line.lines()[0], HasSubstr("template:1:"));
  EXPECT_EQ(line.lines()[1], "{\"template_file\":1,\"text\":\"x1\"}");
}

TEST(Render, TheDayCanBeFixed) {
  const std::string line = "{\"messages\":[],\"template\":\"{{ strftime_now('%d %b %Y') }}\"}\n";
  EXPECT_EQ(run_cli({"render", "--date", "2025-07-10"}, line).json()["text"], "10 Jul 2025");
}

TEST(Grade, OptionsOfALineAndPolicies) {
  const auto outcome = run_cli({"grade"},
                               "{\"gold\":0.5,\"prediction\":\"\\\\boxed{1/2}\"}\n"
                               "{\"gold\":\"3\",\"prediction\":\"3\",\"options\":{\"require_box\":true}}\n"
                               "{\"gold\":\"0.5\",\"prediction\":\"0.505\",\"options\":{\"tolerance\":0.02}}\n"
                               "{\"gold\":\"3\",\"prediction\":\"3\",\"options\":{\"require_bxo\":true}}\n"
                               "{\"gold\":\"3\",\"prediction\":\"I do not know.\"}\n"
                               "{\"gold\":[\"3\"],\"prediction\":\"3\"}\n");
  EXPECT_EQ(outcome.json(0)["correct"], true);
  EXPECT_EQ(outcome.json(0)["gold_answer"], "0.5");
  EXPECT_EQ(outcome.json(1)["correct"], false);
  EXPECT_EQ(outcome.json(2)["correct"], true);
  EXPECT_THAT(outcome.lines()[3], HasSubstr("require_box"));
  EXPECT_TRUE(outcome.json(4)["answer"].is_null());
  EXPECT_THAT(outcome.lines()[5], HasSubstr("gold: expected a string, found a list"));
  EXPECT_EQ(run_cli({"grade", "--policy", "strict"}, "{\"gold\":\"3\",\"prediction\":\"3\"}\n").json()["correct"],
            false);
  EXPECT_EQ(run_cli({"grade", "--verifier", "exact"}, "{\"gold\":\"3.0\",\"prediction\":\"3\"}\n").json()["correct"],
            false);
}

TEST(Score, LossGradientAndUnknownFields) {
  const auto outcome = run_cli(
      {"score"},
      "{\"id\":4,\"objective\":{\"name\":\"grpo\",\"advantage\":{\"kind\":\"center\"}},\"groups\":[{\"completions\":["
      "{\"reward\":1,\"logp\":[-1,-2],\"logp_old\":[-1,-2]},{\"reward\":0,\"logp\":[-1],\"logp_old\":[-1]}]}]}\n");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  const Json result = outcome.json();
  EXPECT_EQ(result["id"], 4);
  EXPECT_EQ(result["advantages"], Json::parse("[[0.5,-0.5]]"));
  EXPECT_EQ(result["grad"], Json::parse("[[[-0.125,-0.125],[0.25]]]"));
  EXPECT_FALSE(result.contains("objective"));
}

TEST(Score, WrongStepsAreLines) {
  const auto outcome =
      run_cli({"score"},
              "{\"objective\":{\"nmae\":\"grpo\"},\"groups\":[]}\n"
              "{\"groups\":[]}\n"
              "{\"objective\":{\"name\":\"grpo\"},\"groups\":[{\"completions\":[{\"lenght\":3}]}]}\n"
              "{\"objective\":{\"name\":\"grpo\",\"advantage\":{\"kind\":\"center\"}},\"groups\":[{\"completions\":["
              "{\"reward\":1e308,\"length\":1},{\"reward\":1e308,\"length\":1},{\"reward\":0,\"length\":1}]}]}\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.lines()[0], HasSubstr("did you mean `objective.name`?"));
  EXPECT_THAT(outcome.lines()[1], HasSubstr("objective: expected"));
  EXPECT_THAT(outcome.lines()[2], HasSubstr("did you mean `length`?"));
  EXPECT_EQ(outcome.json(3)["error"]["kind"], "numeric") << outcome.lines()[3];
}

}  // namespace
}  // namespace laconic::cli

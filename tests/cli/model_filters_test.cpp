// logprobs and generate on a small model: values against the library, and independence of batches, threads and order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/rng.h"
#include "tests/cli/run_cli.h"
#include "tests/cli/small_model.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

Json random_ids(Rng& rng, int length) {
  Json ids = Json::array();
  for (int i = 0; i < length; ++i) ids.push_back(rng.between(3, 60));
  return ids;
}

TEST(Logprobs, DoNotDependOnTheBatch) {
  const SmallModel model(/*with_tokenizer=*/false);
  Rng rng(DrawPurpose::procedural_data, {1});
  std::string all;
  std::vector<std::string> lines;
  for (int i = 0; i < 60; ++i) {
    const int length = rng.between(1, 90);
    const Json line = {{"ids", random_ids(rng, length)}, {"completion_start", rng.between(1, length)}, {"id", i}};
    lines.push_back(line.dump());
    all += lines.back() + "\n";
  }
  const auto together = run_cli({"logprobs", "--model", model.path(), "--threads", "2"}, all);
  EXPECT_EQ(together.status, 0) << together.err;
  ASSERT_EQ(together.lines().size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto alone = run_cli({"logprobs", "--model", model.path(), "--threads", "1"}, lines[i]);
    EXPECT_EQ(alone.lines()[0], together.lines()[i]);
    const Json line = Json::parse(lines[i]), result = together.json(i);
    const size_t scored = line["ids"].size() - line["completion_start"].get<size_t>();
    EXPECT_EQ(result["logprobs"].size(), scored);
    EXPECT_EQ(result["entropies"].size(), scored);
  }
}

TEST(Logprobs, TextAndIdsAgree) {
  const SmallModel model;
  const auto outcome =
      run_cli({"logprobs", "--model", model.path()},
              "{\"prompt\":\"a b c\",\"completion\":\"d e\"}\n"
              "{\"ids\":[5,6,7,8,9],\"completion_start\":3}\n{\"prompt\":\"a\",\"completion\":\"\"}\n");
  EXPECT_EQ(outcome.lines()[0], outcome.lines()[1]);
  EXPECT_EQ(outcome.json(0)["logprobs"].size(), 2u);
  EXPECT_EQ(outcome.lines()[2], "{\"logprobs\":[],\"entropies\":[]}");
}

TEST(Logprobs, WrongLines) {
  const SmallModel model(/*with_tokenizer=*/false);
  std::string long_line = "{\"ids\":[1";
  for (int i = 0; i < 512; ++i) long_line += ",1";
  const auto outcome =
      run_cli({"logprobs", "--model", model.path()},
              "{\"ids\":[61,1]}\n{\"ids\":[]}\n{\"ids\":[1,2],\"completion_start\":3}\n"
              "{\"ids\":[1,2],\"completion_start\":0}\n{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"id\":7}\n"
              "{\"ids\":[1],\"prompt\":\"a\"}\n" +
                  long_line + "]}\n{\"ids\":[1,2],\"completion_start\":1.5}\n{\"ids\":[5,6]}\n");
  const std::vector<std::string> expected = {
      "ids[0]: token id 61 is outside of the model's vocabulary of 61",
      "ids: expected at least one token id, found none",
      "completion_start: expected a whole number from 1 to 2, found the number 3",
      "completion_start: expected a whole number from 1 to 2, found the number 0",
      "the field `prompt` needs a tokenizer, and " + model.path() + " has no tokenizer.json",
      "expected one of the fields `ids`, `prompt`, found none",
      "expected one of the fields `ids`, `prompt`, found `ids` and `prompt`",
      "513 tokens are more than the model's window of 512",
      "completion_start: expected a whole number from 1 to 2, found the number 1.5"};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(outcome.json(i)["error"]["message"], expected[i]);
  EXPECT_EQ(outcome.json(9)["logprobs"].size(), 1u);
}

std::string prompts(int count) {
  Rng rng(DrawPurpose::procedural_data, {2});
  std::string input;
  for (int i = 0; i < count; ++i) {
    const Json line = {{"id", i},
                       {"prompt_ids", random_ids(rng, rng.between(1, 20))},
                       {"n", rng.between(1, 4)},
                       {"max_tokens", rng.between(1, 30)},
                       {"temperature", i % 5 == 0 ? 0.0 : 1.3},
                       {"top_k", i % 3 == 0 ? 5 : 0},
                       {"entropy", i % 2 == 0}};
    input += i % 11 == 7 ? "{\"id\":\"broken\"}\n" : line.dump() + "\n";
  }
  return input;
}

TEST(Generate, DoesNotDependOnBudgetsOrThreads) {
  const SmallModel model;
  const std::string input = prompts(70);
  const auto wide = run_cli({"generate", "--model", model.path(), "--seed", "3", "--threads", "2"}, input);
  const auto narrow =
      run_cli({"generate", "--model", model.path(), "--seed", "3", "--batch-tokens", "64", "--threads", "1"}, input);
  EXPECT_EQ(wide.status, 1) << "some lines are broken";
  ASSERT_EQ(wide.lines().size(), 70u);
  EXPECT_TRUE(wide.out == narrow.out);
  const auto other = run_cli({"generate", "--model", model.path(), "--seed", "4"}, input);
  EXPECT_FALSE(wide.out == other.out);
  EXPECT_EQ(wide.json(7)["id"], "broken");
  EXPECT_EQ(wide.json(8)["id"], 8);
}

TEST(Generate, LogprobsAreThoseOfTheLogprobsFilter) {
  const SmallModel model;
  const auto outcome = run_cli({"generate", "--model", model.path(), "--entropy"},
                               "{\"prompt_ids\":[5,6,7],\"n\":3,\"max_tokens\":40,\"forced_prefix_ids\":[9,10]}\n");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const auto& completion : outcome.json()["completions"]) {
    Json ids = {5, 6, 7};
    for (const auto& id : completion["ids"]) ids.push_back(id);
    const Json line = {{"ids", ids}, {"completion_start", 3}};
    const auto scored = run_cli({"logprobs", "--model", model.path()}, line.dump()).json();
    EXPECT_EQ(completion["ids"].size(), completion["logprobs"].size());
    EXPECT_EQ(completion["forced"][1], 1);
    for (size_t i = 0; i < completion["ids"].size(); ++i) {
      EXPECT_NEAR(completion["logprobs"][i].get<double>(), scored["logprobs"][i].get<double>(), 1e-5);
      EXPECT_NEAR(completion["entropies"][i].get<double>(), scored["entropies"][i].get<double>(), 1e-4);
    }
  }
}

TEST(Generate, DrawsFollowFromSeedLineAndSample) {
  const SmallModel model;
  const std::string line = "{\"prompt_ids\":[5,6],\"max_tokens\":12,\"n\":2}\n";
  const auto two = run_cli({"generate", "--model", model.path()}, line + "\n" + line);
  const auto first = two.json(0)["completions"], second = two.json(1)["completions"];
  EXPECT_NE(first, second) << "the same line at another place is another draw";
  EXPECT_NE(first[0], first[1]);
  const auto more =
      run_cli({"generate", "--model", model.path()}, "{\"prompt_ids\":[5,6],\"max_tokens\":12,\"n\":3}\n");
  EXPECT_EQ(more.json()["completions"][1], first[1]) << "more samples leave the others as they are";
}

// The first greedy word of a prompt, to stop at.
std::string greedy_text(const SmallModel& model, const std::string& fields) {
  const auto outcome =
      run_cli({"generate", "--model", model.path()},
              "{\"prompt\":\"a b\",\"temperature\":0,\"max_tokens\":8,\"ignore_eos\":true" + fields + "}");
  return outcome.json()["completions"][0]["text"];
}

TEST(Generate, StopStringsCutTheText) {
  const SmallModel model;
  const auto full = split(greedy_text(model, ""), ' ');
  ASSERT_GE(full.size(), 3u);
  const Json stop = Json::array({full[2]});
  const auto outcome = run_cli(
      {"generate", "--model", model.path()},
      "{\"prompt\":\"a b\",\"temperature\":0,\"max_tokens\":8,\"ignore_eos\":true,\"stop\":" + stop.dump() + "}");
  const Json completion = outcome.json()["completions"][0];
  EXPECT_EQ(completion["finish_reason"], "stop");
  const std::string text = completion["text"];
  EXPECT_EQ(text.find(full[2]), std::string::npos) << text;
  EXPECT_EQ(text, greedy_text(model, "").substr(0, greedy_text(model, "").find(full[2])));
}

TEST(Generate, AStopStringMaySpanTokens) {
  const SmallModel model;
  const std::string text = greedy_text(model, "");
  const auto words = split(text, ' ');
  // The letters around a space: the end of one word and the begin of the next.
  const std::string stop = words[1].substr(words[1].size() - 1) + " " + words[2].substr(0, 1);
  EXPECT_EQ(greedy_text(model, ",\"stop\":[\"zzz\"," + Json(stop).dump() + "]"), text.substr(0, text.find(stop)));
}

TEST(Generate, StopIdsEndTheIdsAndLeaveTheText) {
  const SmallModel model;
  const auto plain = run_cli({"generate", "--model", model.path()},
                             "{\"prompt\":\"a b\",\"temperature\":0,\"max_tokens\":8,\"ignore_eos\":true}");
  const Json ids = plain.json()["completions"][0]["ids"];
  size_t at = 0;  // the first id that has not come before
  while (at + 1 < ids.size() && ids[at + 1] == ids[0]) ++at;
  const Json stop = Json::array({ids[at + 1]});
  const auto outcome = run_cli(
      {"generate", "--model", model.path()},
      "{\"prompt\":\"a b\",\"temperature\":0,\"max_tokens\":8,\"ignore_eos\":true,\"stop_ids\":" + stop.dump() + "}");
  const Json completion = outcome.json()["completions"][0];
  EXPECT_EQ(completion["ids"].back(), stop[0]);
  EXPECT_EQ(completion["finish_reason"], "stop");
  Json kept = completion["ids"];
  kept.erase(kept.size() - 1);
  const auto decoded = run_cli({"detokenize", "--tokenizer", model.path()}, Json{{"ids", kept}}.dump());
  EXPECT_EQ(completion["text"], decoded.json()["text"]);
}

TEST(Generate, MessagesGoThroughTheTemplate) {
  const SmallModel model;
  const auto outcome =
      run_cli({"generate", "--model", model.path()},
              "{\"messages\":[{\"role\":\"user\",\"content\":\"a b\"}],\"temperature\":0,\"max_tokens\":4}\n"
              "{\"prompt_ids\":[3,5,6,1,4],\"temperature\":0,\"max_tokens\":4}\n");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_EQ(outcome.lines()[0], outcome.lines()[1]);
}

TEST(Generate, ATruncatedForcedTokenHasNoLogprob) {
  const SmallModel model;
  const auto outcome = run_cli({"generate", "--model", model.path()},
                               "{\"prompt_ids\":[5],\"top_k\":1,\"forced_prefix_ids\":[7,8,9,10],\"max_tokens\":5}\n");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("\"-Infinity\""));
}

TEST(Generate, DefaultLengthEndsWithTheWindow) {
  const SmallModel model;
  Json ids = Json::array();
  for (int i = 0; i < 500; ++i) ids.push_back(5 + i % 20);
  const auto outcome =
      run_cli({"generate", "--model", model.path()},
              Json{{"prompt_ids", ids}, {"ignore_eos", true}}.dump() + "\n{\"prompt_ids\":[5],\"ignore_eos\":true}\n");
  EXPECT_EQ(outcome.json(0)["completions"][0]["ids"].size(), 12u);
  EXPECT_EQ(outcome.json(1)["completions"][0]["ids"].size(), 256u);
}

TEST(Generate, WrongLines) {
  const SmallModel model(/*with_tokenizer=*/false);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "expected one of the fields `prompt_ids`, `prompt`, `messages`, found none"},
      {"{\"prompt_ids\":[1],\"messages\":[]}", "found `prompt_ids` and `messages`"},
      {"{\"prompt_ids\":[]}", "prompt_ids: expected at least one token"},
      {"{\"prompt_ids\":[61]}", "prompt_ids[0]: token id 61 is outside"},
      {"{\"prompt_ids\":[1],\"n\":0}", "n: expected a whole number from 1"},
      {"{\"prompt_ids\":[1],\"max_tokens\":0}", "max_tokens: expected a whole number from 1"},
      {"{\"prompt_ids\":[1],\"max_tokens\":600}", "more than the model's window of 512"},
      {"{\"prompt_ids\":[1],\"max_tokens\":400}", "1 prompt tokens and 400 new ones are more than --batch-tokens 300"},
      {"{\"prompt_ids\":[1],\"temperature\":-1}",
       "temperature: expected 0 (greedy) or a number from 1e-06 on, found the number -1"},
      {"{\"prompt_ids\":[1],\"temperature\":\"hot\"}", "temperature: expected a number, found the string \\\"hot\\\""},
      {"{\"prompt_ids\":[1],\"top_p\":0}", "top_p: expected a number in (0, 1]"},
      {"{\"prompt_ids\":[1],\"min_p\":2}", "min_p: expected a number in [0, 1]"},
      {"{\"prompt_ids\":[1],\"top_k\":-1}", "top_k: expected a whole number from 0"},
      {"{\"prompt_ids\":[1],\"stop\":[\"x\"]}", "the field `stop` needs a tokenizer"},
      {"{\"prompt_ids\":[1],\"stop\":[1]}", "stop[0]: expected a string, found the number 1"},
      {"{\"prompt_ids\":[1],\"stop_ids\":[99]}", "stop_ids[0]: token id 99 is outside"},
      {"{\"prompt_ids\":[1],\"forced_prefix_ids\":[5,6],\"max_tokens\":1}", "2 forced tokens do not fit"},
      {"{\"prompt_ids\":[1],\"ignore_eos\":1}", "ignore_eos: expected true or false"},
      {"{\"messages\":[]}", "the field `messages` needs a tokenizer"},
      {"{\"messages\":{}}", "messages: expected a list of messages"},
  };
  std::string input;
  for (const auto& item : cases) input += item.first + "\n";
  const auto outcome = run_cli({"generate", "--model", model.path(), "--batch-tokens", "300"}, input);
  ASSERT_EQ(outcome.lines().size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) EXPECT_THAT(outcome.lines()[i], HasSubstr(cases[i].second));
}

// A model whose logits overflow behind token 60 and nowhere else: one dimension that only its embedding has, and a
// final norm that blows it up.
void save_fragile_model(const std::filesystem::path& folder) {
  const auto config = tiny_config(model::Architecture::qwen2);
  auto model = model::Model::random(config, /*seed=*/5, at::kFloat, at::kCPU);
  for (const auto& [name, tensor] : model.named_tensors()) {
    if (name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight")) tensor.select(0, 0).zero_();
    if (name == "model.embed_tokens.weight") {
      tensor.select(1, 0).zero_();
      tensor.select(0, 60).select(0, 0).fill_(1.0);
    }
    if (name == "model.norm.weight") tensor.select(0, 0).fill_(3e38);
  }
  model.save_folder(folder, at::kFloat);
}

TEST(Generate, AFailureInTheEngineGoesToItsOwnLine) {
  const TemporaryFolder folder;
  save_fragile_model(folder.path());
  const auto input = [](const std::string& seventh) {
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += i == 7 ? seventh + "\n"
                      : Json{{"prompt_ids", {3 + i % 50, 5}}, {"n", 1 + i % 3}, {"max_tokens", 1}}.dump() + "\n";
    return lines;
  };
  const auto broken = run_cli({"generate", "--model", folder.path().string()}, input("{\"id\":1}"));
  const auto fragile = run_cli({"generate", "--model", folder.path().string()},
                               input("{\"prompt_ids\":[5,60],\"max_tokens\":1,\"n\":2,\"id\":1}"));
  ASSERT_EQ(fragile.lines().size(), 40u);
  EXPECT_EQ(fragile.json(7)["error"]["kind"], "numeric") << fragile.lines()[7];
  EXPECT_EQ(fragile.json(7)["id"], 1);
  for (size_t i = 0; i < 40; ++i) {
    if (i == 7) continue;
    EXPECT_EQ(fragile.lines()[i], broken.lines()[i]);
  }
  // The same for a forward pass of several lines.
  const auto scored = run_cli({"logprobs", "--model", folder.path().string()},
                              "{\"ids\":[5,6]}\n{\"ids\":[5,60,7]}\n{\"ids\":[5,6]}\n");
  EXPECT_EQ(scored.json(1)["error"]["kind"], "numeric");
  EXPECT_EQ(scored.lines()[0], scored.lines()[2]);
}

TEST(Generate, Bf16WeightsRun) {
  const SmallModel model;
  const auto outcome =
      run_cli({"generate", "--model", model.path(), "--dtype", "bf16"}, "{\"prompt_ids\":[5],\"max_tokens\":3}\n");
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace laconic::cli

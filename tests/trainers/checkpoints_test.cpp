// Which checkpoints a run leaves, how they are written, and what a run refuses to go on from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/metrics/jsonl.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Overrides = std::vector<std::string>;

class Checkpoints : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }
  void TearDown() override { ::unsetenv("LACONIC_FAULT"); }

  bool train(const Overrides& overrides, const RunOptions& options = {}) {
    return RlTrainer(chain_config(folder_.path(), overrides), options).run();
  }
  bool resume(const Overrides& overrides = {}, std::optional<int64_t> stop_after = std::nullopt) {
    RunOptions options;
    options.existing = metrics::ExistingRun::resume;
    options.stop_after_updates = stop_after;
    return train(overrides, options);
  }
  fs::path checkpoint(int step) const { return folder_ / fmt::format("run/checkpoints/step-{:08}.0000", step); }
  std::vector<int> steps_left() const {
    std::vector<int> steps;
    for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints"))
      steps.push_back(std::stoi(entry.path().filename().string().substr(5)));
    std::sort(steps.begin(), steps.end());
    return steps;
  }
  // With the checksum in the manifest.
  static void put_file(const fs::path& checkpoint, const std::string& name, const std::string& bytes) {
    write_file_atomic(checkpoint / name, bytes);
    auto manifest = nlohmann::json::parse(read_file(checkpoint / "manifest.json"));
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    manifest["files"][name] = {{"bytes", bytes.size()}, {"crc32", sum}};
    write_file_atomic(checkpoint / "manifest.json", manifest.dump());
  }
  nlohmann::json summary() const { return nlohmann::json::parse(read_file(folder_ / "run/summary.json")); }
  static std::map<std::string, std::string> uninterrupted() {
    const TemporaryFolder whole;
    write_chain_model(whole / "model");
    RlTrainer(chain_config(whole.path()), {}).run();
    return reproducible_files(whole / "run");
  }
  TemporaryFolder folder_;
};

TEST_F(Checkpoints, WrittenBehindTheRunChangeNothing) {
  const Overrides behind = {"--checkpoint.asynchronous=true"};
  EXPECT_FALSE(resume(behind, 1));
  while (!resume(behind, 3)) continue;
  EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
  EXPECT_EQ(steps_left().back(), 4) << "the last one is waited for";
}

TEST_F(Checkpoints, AFailureBehindTheRunEndsIt) {
  ::setenv("LACONIC_FAULT", "fail_write:rank=0,step=3", 1);
  EXPECT_THAT(error_of([&] { train({"--checkpoint.asynchronous=true"}); }), HasSubstr("a failure on purpose"));
  EXPECT_THAT(steps_left(), ElementsAre(1, 2));
  ::unsetenv("LACONIC_FAULT");
  EXPECT_TRUE(resume());
  EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
}

TEST_F(Checkpoints, ARunMayGoOnWithoutOne) {
  for (const char* how : {"false", "true"}) {
    ::setenv("LACONIC_FAULT", "fail_write:rank=0,step=3", 1);
    RunOptions options;
    options.existing = metrics::ExistingRun::overwrite;
    EXPECT_TRUE(train(
        {std::string("--checkpoint.asynchronous=") + how, "--checkpoint.on_error=continue", "--checkpoint.keep=2"},
        options));
    ::unsetenv("LACONIC_FAULT");
    EXPECT_THAT(steps_left(), ElementsAre(2, 4));
    EXPECT_EQ(summary()["checkpoints_not_written"], 1);
    EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
  }
}

TEST_F(Checkpoints, MilestonesAreMadeAndStay) {
  EXPECT_TRUE(train({"--checkpoint.every=0", "--checkpoint.keep=1", "--checkpoint.keep_every=2", "--train.steps=5"}));
  EXPECT_THAT(steps_left(), ElementsAre(2, 4, 5));
}

// The step with the smallest value, of those that were trained.
int least(const fs::path& run, const char* metric) {
  int step = 0;
  double best = 0;
  for (const auto& row : metrics::read_jsonl(run / "evaluations.jsonl").rows) {
    if (row["step"] == 0 || (step > 0 && row[metric].get<double>() >= best)) continue;
    best = row[metric];
    step = row["step"];
  }
  return step;
}

TEST_F(Checkpoints, TheBestIsMadeAndStays) {
  // A rate so high that lengths go up and down.
  const Overrides overrides = {"--checkpoint.every=0",      "--checkpoint.keep=1", "--checkpoint.best=mean_tokens",
                               "--optimizer.lr=5e-2",       "--train.steps=8",     "--eval.every=1",
                               "--optimizer.warmup_steps=0"};
  EXPECT_FALSE(resume(overrides, 3));
  EXPECT_FALSE(resume(overrides, 0)) << "stopped at the same place: it still knows what its evaluation found";
  while (!resume(overrides, 5)) continue;
  const int step = least(folder_ / "run", "mean_tokens");
  EXPECT_EQ(summary()["best_checkpoint"]["folder"], fmt::format("step-{:08}.0000", step));
  if (step == 8) {
    EXPECT_THAT(steps_left(), ElementsAre(8));
  } else {
    EXPECT_THAT(steps_left(), ElementsAre(step, 8));
  }
}

TEST_F(Checkpoints, TheBestOfSft) {
  EXPECT_TRUE(SftTrainer(sft_config(folder_.path(), {"--checkpoint.best=loss", "--train.eval_every=1",
                                                     "--checkpoint.keep=1", "--train.steps=6"}),
                         {})
                  .run());
  EXPECT_THAT(summary()["best_checkpoint"]["loss"].get<double>(), testing::Gt(0));
  EXPECT_LE(steps_left().size(), 2u);
  EXPECT_EQ(steps_left().back(), 6);
}

TEST_F(Checkpoints, MetricsThatARunDoesNotHave) {
  EXPECT_THAT(error_of([&] { chain_config(folder_.path(), {"--checkpoint.best=loss"}); }), HasSubstr("laconic sft"));
  EXPECT_THAT(error_of([&] { chain_config(folder_.path(), {"--checkpoint.best=acuracy"}); }),
              HasSubstr("did you mean `accuracy`"));
  EXPECT_THAT(error_of([&] { sft_config(folder_.path(), {"--checkpoint.best=accuracy"}); }), HasSubstr("loss"));
  EXPECT_THAT(error_of([&] {
                sft_config(folder_.path(), {"--checkpoint.best=loss", "--train.eval_samples=0"});
              }),
              HasSubstr("eval_samples"));
  EXPECT_THAT(error_of([&] {
                rl_config(folder_.path(),
                          "data: {source: file, path: x, prompt_column: question, answer_column: answer}\n",
                          {"--checkpoint.best=accuracy"});
              }),
              HasSubstr("eval_data"));
}

TEST_F(Checkpoints, ARunWithoutAUsableOneIsRefused) {
  EXPECT_FALSE(resume({}, 5));
  const auto before = reproducible_files(folder_ / "run");
  fs::remove(checkpoint(2) / "manifest.json");
  fs::resize_file(checkpoint(1) / "state.json", 5);
  for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints")) {
    if (entry.path() > checkpoint(2)) fs::remove(entry.path() / "weights.safetensors");
  }
  EXPECT_THAT(error_of([&] { resume(); }),
              AllOf(HasSubstr("no checkpoint in"), HasSubstr("step-00000002.0000: it is incomplete: manifest.json"),
                    HasSubstr("step-00000001.0000: state.json has 5 bytes"),
                    HasSubstr("weights.safetensors is missing"), HasSubstr("--overwrite")));
  EXPECT_EQ(reproducible_files(folder_ / "run"), before);
  RunOptions afresh;
  afresh.existing = metrics::ExistingRun::overwrite;
  EXPECT_TRUE(train({}, afresh));
  EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
}

// What a run leaves that was killed while it wrote its first one.
TEST_F(Checkpoints, AnUnfinishedFirstOneIsNoObstacle) {
  EXPECT_FALSE(resume({"--checkpoint.every=0"}, 3));
  for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints"))
    fs::rename(entry.path(), entry.path().string() + ".partial");
  EXPECT_TRUE(resume());
  EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
}

// A state that somebody has changed, with its checksum: named, and nothing of the run is touched.
TEST_F(Checkpoints, NumbersThatNoRunCanHaveReached) {
  EXPECT_FALSE(resume({}, 5));  // in the middle of the third step
  const auto folder = folder_ / "run/checkpoints/step-00000002.0001";
  const auto before = reproducible_files(folder_ / "run");
  const auto text = read_file(folder / "state.json");
  using nlohmann::json;
  for (const auto& value :
       {json(-2), json(1.5), json("2"), json(true), json(nullptr), json(UINT64_MAX), json(json::array())}) {
    for (const char* at :
         {"/run/step", "/run/update", "/run/optimizer_steps", "/run/prompt_position", "/run/skipped_in_a_row",
          "/run/generated_tokens", "/run/evaluated", "/run/monitor/step", "/run/monitor/tokens", "/adamw_steps"}) {
      auto state = json::parse(text);
      state[json::json_pointer(at)] = value;
      put_file(folder, "state.json", state.dump());
      EXPECT_THAT(error_of([&] { resume(); }), AllOf(HasSubstr(folder.string()), HasSubstr("expected a whole number")))
          << at << " = " << value;
    }
  }
  auto state = json::parse(text);
  state["run"]["evaluated"] = 3;  // rows of evaluations that are not made yet would stay
  put_file(folder, "state.json", state.dump());
  EXPECT_THAT(error_of([&] { resume(); }), HasSubstr("evaluated: 3, expected a whole number from -1 to 2"));
  EXPECT_EQ(reproducible_files(folder_ / "run"), before);
  put_file(folder, "state.json", text);
  EXPECT_TRUE(resume());
  EXPECT_EQ(reproducible_files(folder_ / "run"), uninterrupted());
}

TEST_F(Checkpoints, ARolloutThatDoesNotFitItself) {
  EXPECT_FALSE(resume({}, 5));
  const auto folder = folder_ / "run/checkpoints/step-00000002.0001";
  const auto rollout = nlohmann::json::from_cbor(read_file(folder / "rollout.cbor"));
  for (const auto& [at, value] : {std::pair<const char*, nlohmann::json>{"length", -1},
                                  {"length", 1000000},
                                  {"logp_old", {0.5}},
                                  {"forced", {1}},
                                  {"advantage", {0.5, 0.5}},
                                  {"old_logp_override", {{1000, 0.5}}}}) {
    auto changed = rollout;
    changed["step"]["groups"][0]["samples"][0][at] = value;
    const auto bytes = nlohmann::json::to_cbor(changed);
    put_file(folder, "rollout.cbor", {bytes.begin(), bytes.end()});
    EXPECT_THAT(error_of([&] { resume(); }), AllOf(HasSubstr(folder.string()), HasSubstr("its rollout.cbor has")))
        << at << " = " << value;
  }
}

TEST_F(Checkpoints, FewerStepsThanAreDone) {
  EXPECT_TRUE(train({}));
  const auto before = reproducible_files(folder_ / "run");
  EXPECT_THAT(error_of([&] { resume({"--train.steps=3"}); }),
              AllOf(HasSubstr("step-00000004.0000 is beyond the end of the run"), HasSubstr("of 4 or more, found 3")));
  EXPECT_EQ(reproducible_files(folder_ / "run"), before);
  EXPECT_TRUE(resume({"--train.steps=4"})) << "nothing is left to do";
  EXPECT_EQ(reproducible_files(folder_ / "run"), before);
}

TEST_F(Checkpoints, FewerStepsThanAreBegun) {
  EXPECT_FALSE(resume({}, 5));  // two steps, and one of two updates of the third
  EXPECT_THAT(error_of([&] { resume({"--train.steps=2"}); }), HasSubstr("of 3 or more, found 2"));
  EXPECT_TRUE(resume({"--train.steps=3"}));
}

TEST_F(Checkpoints, FewerStepsOfSft) {
  const auto sft = [&](const char* steps, metrics::ExistingRun existing) {
    const Overrides overrides = {steps, "--optimizer.schedule=constant", "--train.clean_share=0"};
    RunOptions options;
    options.existing = existing;
    return SftTrainer(sft_config(folder_.path(), overrides), options).run();
  };
  EXPECT_TRUE(sft("--train.steps=4", metrics::ExistingRun::refuse));
  const auto problem = error_of([&] { sft("--train.steps=3", metrics::ExistingRun::resume); });
  EXPECT_THAT(problem, Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace laconic::trainers

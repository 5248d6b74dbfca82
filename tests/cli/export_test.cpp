// `laconic export`: the weights of a checkpoint are those of the run at that step, and wrong calls leave nothing
// behind.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/model/safetensors.h"
#include "tests/cli/run_cli.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A finished run of four steps with the checkpoints of the last three, made once.
class Export : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<TemporaryFolder>();
    trainers::write_chain_model(*original_ / "model");
    trainers::RlTrainer(trainers::chain_config(original_->path()), {}).run();
  }
  static void TearDownTestSuite() { original_.reset(); }
  void SetUp() override { fs::copy(*original_ / "run", run(), fs::copy_options::recursive); }

  fs::path run() const { return folder_ / "run"; }
  fs::path checkpoint(int step) const { return run() / fmt::format("checkpoints/step-{:08}.0000", step); }
  fs::path out() const { return folder_ / "out"; }
  Outcome export_from(const fs::path& from, Arguments more = {}) const {
    more.insert(more.begin(), {"export", from.string(), out().string()});
    return run_cli(more);
  }

  static std::unique_ptr<TemporaryFolder> original_;
  TemporaryFolder folder_;
};

std::unique_ptr<TemporaryFolder> Export::original_;

TEST_F(Export, TheLastCheckpointIsTheTrainedModel) {
  for (const auto& from : {run(), run() / "checkpoints", checkpoint(4)}) {
    fs::remove_all(out());
    const auto result = export_from(from);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, AllOf(HasSubstr("after step 4"), HasSubstr("step-00000004.0000")));
    for (const char* name : {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"})
      EXPECT_EQ(read_file(out() / name), read_file(run() / "model" / name)) << name;
  }
}

TEST_F(Export, AnEarlierCheckpointHasOtherWeights) {
  ASSERT_EQ(export_from(checkpoint(3)).status, 0);
  EXPECT_NE(read_file(out() / "model.safetensors"), read_file(run() / "model/model.safetensors"));
}

TEST_F(Export, RoundsWhereAskedTo) {
  ASSERT_EQ(export_from(run(), {"--dtype", "bf16"}).status, 0);
  const model::SafetensorsFile got(out() / "model.safetensors"), want(run() / "model/model.safetensors");
  for (const auto& name : want.names())
    EXPECT_TRUE(at::equal(got.tensor(name), want.tensor(name).to(at::kBFloat16))) << name;
  EXPECT_THAT(read_file(out() / "config.json"), HasSubstr("bfloat16"));
}

TEST_F(Export, ACheckpointAwayFromItsRunNeedsAModel) {
  const auto moved = folder_ / "moved";
  fs::rename(checkpoint(4), moved);
  const auto refused = export_from(moved);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--model"));
  EXPECT_FALSE(fs::exists(out()));
  const auto result =
      export_from(moved, {"--model", (*original_ / "model").string(), "--tokenizer", "chain", "--dtype", "f32"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(read_file(out() / "model.safetensors"), read_file(run() / "model/model.safetensors"));
}

TEST_F(Export, ADamagedOneIsNamed) {
  fs::resize_file(checkpoint(4) / "optimizer.safetensors", 100);
  const auto refused = export_from(checkpoint(4));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("step-00000004.0000"), HasSubstr("optimizer.safetensors has 100 bytes")));
  EXPECT_FALSE(fs::exists(out()));
  const auto passed_over = export_from(run());
  EXPECT_EQ(passed_over.status, 0);
  EXPECT_THAT(passed_over.out, HasSubstr("step-00000003.0000"));
  for (const int step : {2, 3}) fs::remove(checkpoint(step) / "manifest.json");
  fs::remove_all(out());
  const auto none = export_from(run());
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("no complete checkpoint"), HasSubstr("step-00000002.0000: it is incomplete"),
                              HasSubstr("step-00000004.0000: optimizer")));
}

TEST_F(Export, WhatIsThereStays) {
  fs::create_directories(out());
  write_file_atomic(out() / "notes.txt", "mine");
  const auto refused = export_from(run());
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("is not empty"), HasSubstr("notes.txt")));
  fs::remove(out() / "notes.txt");
  EXPECT_EQ(export_from(run()).status, 0) << "an empty folder is good enough";
}

TEST_F(Export, WhatIsNoCheckpoint) {
  EXPECT_THAT(export_from(folder_ / "nowhere").err, HasSubstr("expected a run folder or a checkpoint, found nothing"));
  EXPECT_THAT(export_from(run() / "config.yaml").err, HasSubstr("found a file"));
  EXPECT_THAT(export_from(run() / "model").err, HasSubstr("holds neither checkpoints nor manifest.json"));
  EXPECT_THAT(export_from(run(), {"--model", (folder_ / "nowhere").string()}).err, HasSubstr("does not exist"));
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(Export, AModelOfAnotherShape) {
  const auto other = folder_ / "other";
  fs::create_directories(other);
  auto config = read_file(*original_ / "model/config.json");
  config.replace(config.find("\"intermediate_size\": 48"), 23, "\"intermediate_size\": 40");
  write_file_atomic(other / "config.json", config);
  const auto refused = export_from(run(), {"--model", other.string(), "--tokenizer", "chain"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("does not fit the model of"), HasSubstr("gate_up_proj")));
  EXPECT_FALSE(fs::exists(out()));
}

}  // namespace
}  // namespace laconic::cli

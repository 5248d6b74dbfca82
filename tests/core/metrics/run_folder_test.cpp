#include "laconic/core/metrics/run_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::metrics {
namespace {

using testing::HasSubstr;

std::string usage_message(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

MetricRow row_of(int64_t step) {
  MetricRow row(step);
  row.set("reward/mean", 0.5);
  row.set("time/rollout_s", 1.25);
  row.set("throughput/tokens_per_s", 900.0);
  row.set("kl/mean", 0.25);
  return row;
}

TEST(RunFolder, KeepsWallClockFiguresApart) {
  const TemporaryFolder folder;
  RunFolder run(folder / "a/b/run");
  run.log(row_of(0));
  run.log_sample({{"step", 0}, {"prompt", "2 + 2"}, {"completion", "4"}});
  EXPECT_EQ(read_file(run.file("metrics.jsonl")), "{\"step\":0,\"reward/mean\":0.5,\"kl/mean\":0.25}\n");
  EXPECT_EQ(read_file(run.file("timing.jsonl")),
            "{\"step\":0,\"time/rollout_s\":1.25,\"throughput/tokens_per_s\":900.0}\n");
  EXPECT_EQ(read_file(run.file("samples.jsonl")), "{\"step\":0,\"prompt\":\"2 + 2\",\"completion\":\"4\"}\n");
  EXPECT_FALSE(std::filesystem::is_empty(run.file("tensorboard")));
}

TEST(RunFolder, WritesSingleFilesWhole) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", {.tensorboard = false});
  run.write_config("seed: 1\n");
  run.write_versions({{"laconic", "0.1.0"}});
  run.write_summary({{"before", {{"accuracy", 0.5}}}});
  EXPECT_EQ(read_file(run.file("config.yaml")), "seed: 1\n");
  EXPECT_EQ(read_file(run.file("versions.json")), "{\n  \"laconic\": \"0.1.0\"\n}\n");
  EXPECT_EQ(nlohmann::json::parse(read_file(run.file("summary.json")))["before"]["accuracy"], 0.5);
  EXPECT_FALSE(std::filesystem::exists(run.file("tensorboard")));
}

TEST(RunFolder, RefusesAFolderInUseAndSaysWhatToDo) {
  const TemporaryFolder folder;
  { RunFolder(folder / "run"); }
  EXPECT_THAT(
      usage_message([&] { RunFolder(folder / "run"); }),
      HasSubstr("holds an earlier run): go on with it (--resume), delete it (--overwrite), or give another folder"));
  std::filesystem::create_directories(folder / "other");
  std::ofstream(folder / "other/thesis.tex") << "x";
  for (const auto existing : {ExistingRun::refuse, ExistingRun::resume, ExistingRun::overwrite}) {
    EXPECT_THAT(usage_message([&] { RunFolder(folder / "other", {.existing = existing}); }), HasSubstr("thesis.tex"));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "other"), {}), 1);
  std::ofstream(folder / "file") << "x";
  EXPECT_THAT(usage_message([&] { RunFolder(folder / "file"); }), HasSubstr("is a file"));
}

TEST(RunFolder, OverwriteDeletesTheEarlierRunAndNothingElse) {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run");
    run.log(row_of(0));
    run.write_summary({{"seed", 1}});
    std::filesystem::create_directories(run.file("checkpoints/step_1"));
    std::ofstream(run.file("notes.txt")) << "mine";
  }
  const RunFolder run(folder / "run", {.existing = ExistingRun::overwrite});
  EXPECT_EQ(read_file(run.file("metrics.jsonl")), "");
  EXPECT_FALSE(std::filesystem::exists(run.file("summary.json")));
  EXPECT_FALSE(std::filesystem::exists(run.file("checkpoints")));
  EXPECT_EQ(read_file(run.file("notes.txt")), "mine");
}

// Not even to be overwritten: the other process would go on writing what no longer has a name.
TEST(RunFolder, ARunThatIsGoingOnIsLeftAlone) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run");
  run.log(row_of(0));
  std::ofstream(run.file("summary.json")) << "{}";
  for (const auto existing : {ExistingRun::resume, ExistingRun::overwrite}) {
    EXPECT_THAT(error_of([&] { RunFolder(folder / "run", {.existing = existing}); }),
                HasSubstr("another process is writing it"));
  }
  EXPECT_TRUE(std::filesystem::exists(run.file("summary.json")));
  run.log(row_of(1));
  EXPECT_EQ(read_jsonl(run.file("metrics.jsonl")).rows.size(), 2u);
}

TEST(RunFolder, RowsAreNotWrittenIntoADeletedFile) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", {.tensorboard = false});
  run.log(row_of(0));
  std::filesystem::rename(folder / "run", folder / "moved");
  EXPECT_THAT(error_of([&] { run.log(row_of(1)); }), HasSubstr("metrics.jsonl: it was deleted, moved or replaced"));
  std::filesystem::create_directory(folder / "run");
  std::ofstream(folder / "run/metrics.jsonl") << "";
  EXPECT_THAT(error_of([&] { run.log(row_of(1)); }), HasSubstr("it was deleted, moved or replaced"));
  EXPECT_EQ(read_file(folder / "moved/metrics.jsonl"), "{\"step\":0,\"reward/mean\":0.5,\"kl/mean\":0.25}\n");
}

TEST(RunFolder, APipeInThePlaceOfAFileIsAnError) {
  const TemporaryFolder folder;
  { RunFolder(folder / "run"); }
  std::filesystem::remove(folder / "run/samples.jsonl");
  ASSERT_EQ(::mkfifo((folder / "run/samples.jsonl").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { RunFolder(folder / "run", {.existing = ExistingRun::resume}); }),
              HasSubstr("samples.jsonl"));
}

// A disk that lost the end of the file in a power failure.
TEST(RunFolder, RowsThatTheCheckpointHasOutlivedAreMissed) {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run");
    for (int step = 1; step < 4; ++step) run.log(row_of(step));
    run.sync();
  }
  RunFolder run(folder / "run", {.existing = ExistingRun::resume});
  testing::internal::CaptureStderr();
  run.resume_after(3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  run.resume_after(7);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("end with step 3, the checkpoint is that after step 7"));
}

TEST(RunFolder, ResumeContinuesAfterTheCheckpoint) {
  const TemporaryFolder folder;
  const auto write_steps = [](RunFolder& run, int from, int to) {
    for (int step = from; step < to; ++step) {
      run.log(row_of(step));
      run.log_sample({{"step", step}, {"completion", "4"}});
    }
  };
  RunFolder whole(folder / "whole");
  write_steps(whole, 0, 6);
  {
    RunFolder run(folder / "run", {.existing = ExistingRun::resume});
    EXPECT_FALSE(run.resuming());
    write_steps(run, 0, 4);
  }
  RunFolder run(folder / "run", {.existing = ExistingRun::resume});
  EXPECT_TRUE(run.resuming());
  EXPECT_THROW(run.log(row_of(2)), Error);  // resume_after first
  run.resume_after(1);
  write_steps(run, 2, 6);
  EXPECT_EQ(read_file(run.file("metrics.jsonl")), read_file(whole.file("metrics.jsonl")));
  EXPECT_EQ(read_file(run.file("samples.jsonl")), read_file(whole.file("samples.jsonl")));
}

// A checkpoint may have been taken before the evaluation of its step.
TEST(RunFolder, EvaluationsBeyondTheLastKnownOneAreDropped) {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run");
    for (int step : {0, 2, 4}) run.log_evaluation({{"step", step}, {"accuracy", 0.5}});
  }
  for (const auto& [evaluated, rows] : {std::pair<std::optional<int64_t>, size_t>{std::nullopt, 2}, {0, 1}, {-1, 0}}) {
    RunFolder run(folder / "run", {.existing = ExistingRun::resume});
    run.resume_after(2, evaluated);
    EXPECT_EQ(read_jsonl(run.file("evaluations.jsonl")).rows.size(), rows);
  }
}

}  // namespace
}  // namespace laconic::metrics

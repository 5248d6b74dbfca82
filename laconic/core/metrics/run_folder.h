// The folder of one run and everything that a run leaves in it:
//
//   config.yaml      the effective configuration        metrics.jsonl   one row per step, reproducible byte for byte
//   versions.json    versions, seeds, command           timing.jsonl    one row per step, wall-clock figures only
//   summary.json     the result, written last           samples.jsonl   completions with their verdicts
//   evaluations.jsonl  one row per evaluation           tensorboard/    event files
//   outliers.jsonl     one row per unusual update, where there are any
//   report.html, eval.jsonl, checkpoints/, model/       written by the caller
//
// Rows are in the files before log() returns. Two runs of one configuration and seed differ in timing.jsonl,
// versions.json, summary.json and tensorboard/ only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/metrics/row.h"
#include "laconic/core/metrics/tensorboard.h"

namespace laconic::metrics {

// What to do when the folder exists and is not empty.
enum class ExistingRun {
  refuse,     // Error(usage) that says what to do instead
  resume,     // continue its files; resume_after() must follow before the first row
  overwrite,  // delete the files of the earlier run; Error(usage) when the folder is not that of a run
};

struct RunFolderOptions {
  ExistingRun existing = ExistingRun::refuse;
  bool tensorboard = true;
};

class RunFolder {
 public:
  // Makes the folder where it is missing and proves that it is writable. Nothing of an existing run is touched before
  // every check has passed, and nothing of one that another process is still writing.
  explicit RunFolder(std::filesystem::path path, RunFolderOptions options = {});
  ~RunFolder();

  // True when `resume` found an earlier run to continue; false: the folder was missing or empty and this is a new run.
  bool resuming() const { return resuming_; }

  // Drops all rows beyond `step` (-1: every row): the checkpoint that the run continues from was taken after that step.
  // `evaluated`: the step of the last evaluation that it knows of, where that is not the same.
  void resume_after(int64_t step, std::optional<int64_t> evaluated = std::nullopt);

  // Appends the step's values: wall-clock figures to timing.jsonl, the others to metrics.jsonl, all to TensorBoard.
  void log(const MetricRow& row);
  // Appends an object with an integer "step" to samples.jsonl.
  void log_sample(const nlohmann::ordered_json& sample);
  // Appends an object with an integer "step" to outliers.jsonl, which is made with the first.
  void log_outlier(const nlohmann::ordered_json& outlier);
  // Appends an object with an integer "step" to evaluations.jsonl.
  void log_evaluation(const nlohmann::ordered_json& evaluation);
  // Flushes the rows to the disk: a checkpoint is not to outlive those that stand before it.
  void sync();
  // A markdown text in TensorBoard only.
  void log_text(int64_t step, std::string_view tag, std::string_view text);

  // Atomic writes of the single files.
  void write_config(std::string_view yaml);
  void write_versions(const nlohmann::ordered_json& versions);
  void write_summary(const nlohmann::ordered_json& summary);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
  bool resuming_ = false;
  bool rows_allowed_ = true;
  bool tensorboard_wanted_;
  std::unique_ptr<JsonlWriter> metrics_;
  std::unique_ptr<JsonlWriter> timing_;
  std::unique_ptr<JsonlWriter> samples_;
  std::unique_ptr<JsonlWriter> evaluations_;
  std::unique_ptr<JsonlWriter> outliers_;  // null: there is no such file
  std::unique_ptr<TensorBoardWriter> tensorboard_;
};

}  // namespace laconic::metrics

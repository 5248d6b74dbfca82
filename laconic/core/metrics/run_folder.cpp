#include "laconic/core/metrics/run_folder.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"

namespace laconic::metrics {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetrics = "metrics.jsonl";  // its lock is that of the run

// What a run owns in its folder; only these are deleted by `overwrite`.
constexpr std::array<const char*, 13> kOwned = {
    "config.yaml",       "versions.json", kMetrics,      "timing.jsonl", "samples.jsonl", "summary.json",
    "evaluations.jsonl", "eval.jsonl",    "report.html", "tensorboard",  "checkpoints",   "model",
    "outliers.jsonl"};

std::vector<std::string> names_in(const fs::path& folder) {
  std::error_code error;
  const auto status = fs::status(folder, error);
  if (!fs::exists(status)) return {};
  if (!fs::is_directory(status)) fail(ErrorKind::usage, "the run folder {} exists and is a file", folder.string());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder, error)) names.push_back(entry.path().filename().string());
  if (error) fail(ErrorKind::io, "cannot list the run folder {}: {}", folder.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

bool is_owned(const std::string& name) {
  return std::find(kOwned.begin(), kOwned.end(), name) != kOwned.end();
}

bool holds_run(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "config.yaml" || name == kMetrics || name == "versions.json";
  });
}

void check_usable(const fs::path& folder, const std::vector<std::string>& names, ExistingRun existing) {
  if (names.empty()) return;
  const bool run = holds_run(names);
  if (existing == ExistingRun::refuse) {
    fail(ErrorKind::usage, "the run folder {} is not empty (it holds {}): {}", folder.string(),
         run ? "an earlier run" : "`" + names.front() + "`",
         run ? "go on with it (--resume), delete it (--overwrite), or give another folder" : "give another folder");
  }
  if (run) return;
  fail(ErrorKind::usage,
       "cannot {} in {}: the folder holds `{}` but no run (config.yaml, metrics.jsonl); give another folder",
       existing == ExistingRun::resume ? "resume" : "overwrite", folder.string(), names.front());
}

void delete_earlier_run(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const auto& name : names) {
    if (name == kMetrics) continue;  // is emptied last, so that its lock is held to the end
    if (!is_owned(name)) {
      kept.push_back(name);
      continue;
    }
    std::error_code error;
    fs::remove_all(folder / name, error);
    if (error) fail(ErrorKind::io, "cannot delete {}: {}", (folder / name).string(), error.message());
  }
  if (!kept.empty()) log_warning("{}: left in place, not part of a run: {}", folder.string(), join(kept, ", "));
}

}  // namespace

RunFolder::RunFolder(fs::path path, RunFolderOptions options)
    : path_(std::move(path)), tensorboard_wanted_(options.tensorboard) {
  const auto names = names_in(path_);
  check_usable(path_, names, options.existing);
  ensure_writable_folder(path_);
  resuming_ = options.existing == ExistingRun::resume && !names.empty();
  const auto open = [&](const char* name) {
    return std::make_unique<JsonlWriter>(file(name), JsonlWriter::Mode::append);
  };
  metrics_ = open(kMetrics);  // before anything is deleted: a run that is still going on holds its lock
  if (options.existing == ExistingRun::overwrite) {
    delete_earlier_run(path_, names);
    metrics_->clear();
  }
  rows_allowed_ = !resuming_;
  timing_ = open("timing.jsonl");
  samples_ = open("samples.jsonl");
  evaluations_ = open("evaluations.jsonl");
  if (std::filesystem::exists(file("outliers.jsonl"))) outliers_ = open("outliers.jsonl");
  if (tensorboard_wanted_ && !resuming_) tensorboard_ = std::make_unique<TensorBoardWriter>(file("tensorboard"));
}

RunFolder::~RunFolder() = default;

void RunFolder::resume_after(int64_t step, std::optional<int64_t> evaluated) {
  LACONIC_CHECK(resuming_, "{}: resume_after on a new run", path_.string());
  const int64_t dropped = metrics_->truncate_after(step);
  if (const auto last = metrics_->last_step(); step > 0 && last.value_or(0) < step) {
    log_warning("{}: its rows end with step {}, the checkpoint is that after step {}: those between are lost",
                metrics_->path().string(), last.value_or(0), step);
  }
  timing_->truncate_after(step);
  samples_->truncate_after(step);
  evaluations_->truncate_after(evaluated.value_or(step));
  if (outliers_) outliers_->truncate_after(step);
  if (dropped > 0)
    log_info("{}: dropped {} rows beyond step {}; they will be computed again", path_.string(), dropped, step);
  if (tensorboard_wanted_) tensorboard_ = std::make_unique<TensorBoardWriter>(file("tensorboard"), step + 1);
  rows_allowed_ = true;
}

void RunFolder::log(const MetricRow& row) {
  LACONIC_CHECK(rows_allowed_, "{}: a row before resume_after", path_.string());
  MetricRow steady(row.step());
  MetricRow clocked(row.step());
  for (const auto& [name, value] : row.entries()) {
    auto& target = is_wall_clock(name) ? clocked : steady;
    std::visit([&, key = std::string_view(name)](const auto& held) { target.set(key, held); }, value);
  }
  if (!steady.entries().empty()) metrics_->write(steady);
  if (!clocked.entries().empty()) timing_->write(clocked);
  if (tensorboard_) tensorboard_->write(row);
}

void RunFolder::log_sample(const nlohmann::ordered_json& sample) {
  LACONIC_CHECK(rows_allowed_, "{}: a sample before resume_after", path_.string());
  LACONIC_CHECK(sample.is_object() && sample.contains("step") && sample["step"].is_number_integer(),
                "a sample needs an integer \"step\"");
  samples_->write(sample);
}

void RunFolder::log_outlier(const nlohmann::ordered_json& outlier) {
  LACONIC_CHECK(rows_allowed_, "{}: an outlier before resume_after", path_.string());
  LACONIC_CHECK(outlier.is_object() && outlier.contains("step") && outlier["step"].is_number_integer(),
                "an outlier needs an integer \"step\"");
  if (!outliers_) outliers_ = std::make_unique<JsonlWriter>(file("outliers.jsonl"), JsonlWriter::Mode::append);
  outliers_->write(outlier);
}

void RunFolder::log_evaluation(const nlohmann::ordered_json& evaluation) {
  LACONIC_CHECK(rows_allowed_, "{}: an evaluation before resume_after", path_.string());
  LACONIC_CHECK(evaluation.is_object() && evaluation.contains("step") && evaluation["step"].is_number_integer(),
                "an evaluation needs an integer \"step\"");
  evaluations_->write(evaluation);
}

void RunFolder::sync() {
  for (const auto* writer : {&metrics_, &timing_, &samples_, &evaluations_, &outliers_}) {
    if (*writer) (*writer)->sync();
  }
}

void RunFolder::log_text(int64_t step, std::string_view tag, std::string_view text) {
  if (tensorboard_) tensorboard_->write_text(step, tag, text);
}

void RunFolder::write_config(std::string_view yaml) {
  write_file_atomic(file("config.yaml"), yaml);
}
void RunFolder::write_versions(const nlohmann::ordered_json& versions) {
  write_file_atomic(file("versions.json"), pretty_json(versions));
}
void RunFolder::write_summary(const nlohmann::ordered_json& summary) {
  write_file_atomic(file("summary.json"), pretty_json(summary));
}

}  // namespace laconic::metrics

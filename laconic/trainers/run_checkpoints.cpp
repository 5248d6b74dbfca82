#include "laconic/trainers/run_checkpoints.h"

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/trainers/shared_folder.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using checkpoint::Store;

checkpoint::Retention retention_of(const CheckpointSection& section) {
  const bool lower = section.best == "mean_tokens" || section.best == "truncated_share" || section.best == "loss";
  return {section.keep, section.keep_every, section.best, !lower};
}

}  // namespace

RunCheckpoints::RunCheckpoints(const CheckpointSection& section, const ParallelSection& parallel, Ranks& ranks)
    : section_(section), shard_(parallel.shard), ranks_(ranks) {}

std::optional<ResumedCheckpoint> RunCheckpoints::open(const fs::path& folder, bool resuming) {
  auto& communicator = ranks_.communicator();
  if (divided()) {
    check_shared_folder(communicator, folder,
                        "Where anything is divided between the ranks (parallel.shard), each writes its part of a "
                        "checkpoint: output.folder must lie on a file system that all of them share.");
  }
  checkpoint::Company company{communicator.rank(), communicator.world_size(), [&communicator](const std::string& mine) {
                                return distributed::all_gather_bytes(communicator, mine);
                              }};
  writer_ = std::make_unique<checkpoint::Writer>(
      Store(folder, retention_of(section_)),
      checkpoint::WriterOptions{section_.asynchronous, section_.on_error, divided()}, std::move(company));
  return share_checkpoint(communicator, resuming && ranks_.first() ? load_newest(folder) : std::nullopt, divided(),
                          folder);
}

// On rank 0.
std::optional<Store::Loaded> RunCheckpoints::load_newest(const fs::path& folder) {
  std::string damaged;
  auto loaded = writer_->store().load_newest([&](const Store::PassedOver& one) {
    log_warning("passed over the checkpoint {}: {}", one.folder.string(), one.reason);
    if (!one.unfinished) damaged += fmt::format("\n  {}: {}", one.folder.filename().string(), one.reason);
  });
  if (!loaded && !damaged.empty()) {
    fail(ErrorKind::input,
         "no checkpoint in {} can be used:{}\nNothing was changed. To begin the run again give --overwrite instead of "
         "--resume, which deletes what the earlier run left.",
         folder.string(), damaged);
  }
  if (!loaded) {
    log_info("no checkpoint in {} yet: starting from the beginning", folder.string());
    return std::nullopt;
  }
  if (const auto best = writer_->store().best(loaded->position)) best_ = best->value;
  return loaded;
}

bool RunCheckpoints::due(int64_t step, const std::map<std::string, double>& evaluation) {
  const auto multiple = [&](int every) { return every > 0 && step % every == 0; };
  bool better = false;
  if (const auto found = evaluation.find(section_.best); found != evaluation.end() && ranks_.first()) {
    better = !best_ || writer_->store().is_better(found->second, *best_);
    if (better) best_ = found->second;
  }
  if (!section_.best.empty()) better = ranks_.any(better);
  return better || multiple(section_.every) || multiple(section_.keep_every);
}

void RunCheckpoints::save(const checkpoint::Position& position, checkpoint::Content content) {
  saved_ = position;
  writer_->save(position, std::move(content), fault_of(position));
}

// What goes wrong on purpose.
Store::BeforeManifest RunCheckpoints::fault_of(const checkpoint::Position& position) {
  if (!writer_->writes()) return {};
  if (ranks_.fault("fail_write", position.step)) {
    return [](const fs::path& partial) {
      fail(ErrorKind::io, "cannot write the checkpoint {}: a failure on purpose", partial.string());
    };
  }
  if (ranks_.fault("slow_write", position.step))
    return [](const fs::path&) { std::this_thread::sleep_for(std::chrono::seconds(5)); };
  return {};
}

void RunCheckpoints::poll() {
  writer_->poll();
}

void RunCheckpoints::finish() {
  writer_->finish();
}

void RunCheckpoints::summarise(nlohmann::ordered_json& summary) const {
  if (writer_->failures() > 0) summary["checkpoints_not_written"] = writer_->failures();
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  if (const auto best = writer_->store().best({kLast, kLast}))
    summary["best_checkpoint"] = {{"folder", best->folder.filename().string()}, {section_.best, best->value}};
}

void check_not_beyond(const ResumedCheckpoint& loaded, int64_t begun, int64_t steps) {
  if (begun <= steps) return;
  fail(ErrorKind::usage,
       "{} is beyond the end of the run: expected train.steps of {} or more, found {}. To go on from there raise "
       "train.steps; to train for fewer steps begin again with --overwrite or in another output.folder.",
       loaded.folder.string(), begun, steps);
}

}  // namespace laconic::trainers

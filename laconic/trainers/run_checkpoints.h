// The checkpoints of a run: which one it continues from, when one is due, and who writes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "laconic/core/checkpoint/writer.h"
#include "laconic/trainers/ranks.h"
#include "laconic/trainers/resumed_checkpoint.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Lives on every rank. Where nothing is divided between them (parallel.shard), rank 0 alone reads and writes files;
// else each writes and reads its own, in a folder that all of them see.
class RunCheckpoints {
 public:
  RunCheckpoints(const CheckpointSection& section, const ParallelSection& parallel, Ranks& ranks);

  // Checkpoints lie in `folder`. Returns the newest complete one where the run is `resuming`, which rank 0 decides. An
  // Error of kind input when there are checkpoints, but none that can be used; of kind usage when the ranks must see
  // one folder and do not. Collective, as are all that follow but is_saved(), last_one_failed() and summarise().
  std::optional<ResumedCheckpoint> open(const std::filesystem::path& folder, bool resuming);

  // Whether a checkpoint is to be saved after this step, at whose end `evaluation` was found (empty: nothing was). The
  // same on all ranks.
  bool due(int64_t step, const std::map<std::string, double>& evaluation);

  // `content` has this rank's parts of the tensors, and on rank 0 the record. Nothing happens where the newest one
  // saved is of this position.
  bool is_saved(const checkpoint::Position& position) const { return saved_ == position; }
  void save(const checkpoint::Position& position, checkpoint::Content content);
  // Tells what became of a checkpoint in flight, without waiting and with.
  void poll();
  void finish();

  // Whether the checkpoint saved last could not be written, which checkpoint.on_error lets pass.
  bool last_one_failed() const { return writer_->newest() != saved_; }
  // Adds what there is to say at the end of the run.
  void summarise(nlohmann::ordered_json& summary) const;

 private:
  bool divided() const { return !ranks_.alone() && shard_ != distributed::Shard::none; }
  std::optional<checkpoint::Store::Loaded> load_newest(const std::filesystem::path& folder);
  checkpoint::Store::BeforeManifest fault_of(const checkpoint::Position& position);

  CheckpointSection section_;
  distributed::Shard shard_;
  Ranks& ranks_;
  std::unique_ptr<checkpoint::Writer> writer_;
  std::optional<checkpoint::Position> saved_;  // by this process
  std::optional<double> best_;                 // on rank 0, of the checkpoints of the run by section_.best
};

// Refuses to continue from a checkpoint that is beyond the end of the run: `begun` steps are finished or in progress.
void check_not_beyond(const ResumedCheckpoint& loaded, int64_t begun, int64_t steps);

}  // namespace laconic::trainers

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
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Lives on every rank; rank 0 alone reads and writes files.
class RunCheckpoints {
 public:
  RunCheckpoints(const CheckpointSection& section, Ranks& ranks);

  // On rank 0: checkpoints lie in `folder`. Returns the newest complete one where the run is `resuming`. An Error of
  // kind input when there are checkpoints, but none that can be used.
  std::optional<checkpoint::Store::Loaded> open(const std::filesystem::path& folder, bool resuming);

  // Whether a checkpoint is to be saved after this step, at whose end `evaluation` was found (empty: nothing was). The
  // same on all ranks.
  bool due(int64_t step, const std::map<std::string, double>& evaluation);

  // `content` is complete on rank 0. Nothing happens where the newest one saved is of this position.
  bool is_saved(const checkpoint::Position& position) const { return saved_ == position; }
  void save(const checkpoint::Position& position, checkpoint::Content content);
  // Tells what became of a checkpoint in flight, without waiting and with.
  void poll();
  void finish();

  // Whether the checkpoint saved last could not be written, which checkpoint.on_error lets pass.
  bool last_one_failed() const { return writer_ && writer_->newest() != saved_; }
  // Adds what there is to say at the end of the run.
  void summarise(nlohmann::ordered_json& summary) const;

 private:
  CheckpointSection section_;
  Ranks& ranks_;
  std::unique_ptr<checkpoint::Writer> writer_;  // of rank 0
  std::optional<checkpoint::Position> saved_;   // by this process
  std::optional<double> best_;                  // on rank 0, of the checkpoints of the run by section_.best
};

// Refuses to continue from a checkpoint that is beyond the end of the run: `begun` steps are finished or in progress.
void check_not_beyond(const checkpoint::Store::Loaded& loaded, int64_t begun, int64_t steps);

}  // namespace laconic::trainers

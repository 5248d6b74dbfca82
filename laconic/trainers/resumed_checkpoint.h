// The checkpoint that a run goes on from, as every rank sees it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "laconic/core/checkpoint/store.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic::trainers {

struct ResumedCheckpoint {
  checkpoint::Position position;
  std::filesystem::path folder;
  checkpoint::Record content;
  std::unique_ptr<optim::TensorSource> weights, optimizer;
};

// What rank 0 has loaded, on every rank. Where the ranks are `divided`, each reads its own ranges of the tensors from
// the files, which it finds in `folder`, the run's checkpoints. Where they are not, all of them read the same ranges in
// the same order, and rank 0 sends them: the others need no access to its files. Collective.
std::optional<ResumedCheckpoint> share_checkpoint(distributed::Communicator& communicator,
                                                  std::optional<checkpoint::Store::Loaded> loaded, bool divided,
                                                  const std::filesystem::path& folder);

// Puts back what a checkpoint holds: `body` takes its state and its tensors. What is damaged there, or does not fit the
// run, is an Error that names the checkpoint.
void restore_from(const ResumedCheckpoint& loaded, const std::function<void(const nlohmann::json& state)>& body);

}  // namespace laconic::trainers

// The ranks of a run as the trainers see them: a communicator, the watchdog of this rank, and faults on purpose.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/faults.h"
#include "laconic/core/distributed/rendezvous.h"
#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/core/distributed/watchdog.h"
#include "laconic/core/model/model.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

class Ranks {
 public:
  // A run of one process.
  Ranks();
  // A rank that somebody else has joined with the others, without a watchdog: threads in tests. Not owned.
  explicit Ranks(distributed::Communicator& communicator);
  // Joins this process with the others; on GPUs over NCCL, each rank on the GPU of its local rank. `configuration`, in
  // lines, must be the same on all of them. `on_failure` hears, on another thread, that the run cannot go on; this
  // rank's own thread may be stuck, so it is to end the process.
  Ranks(const distributed::RankFacts& facts, const std::string& configuration, const ParallelSection& section,
        ComputeDevice device, std::function<void(const std::string&)> on_failure);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  distributed::Communicator& communicator() { return *communicator_; }
  bool alone() const { return communicator_->alone(); }
  bool first() const { return communicator_->first(); }
  int world_size() const { return communicator_->world_size(); }
  int on_this_machine() const { return on_this_machine_; }

  // Names what this rank does, for messages; faults on purpose happen here. Steps count from 1.
  void begin_phase(int64_t step, const char* phase);
  void progress() { communicator_->activity().progress(); }
  // Whether a fault of this kind is to happen now.
  bool fault(const char* kind, int64_t step) { return faults_.due(kind, communicator_->rank(), step); }
  // Whether it holds on some rank; collective.
  bool any(bool here);

  // Waits for all ranks and ends the watch over them: the work is done.
  void finish();
  // This rank ends because of `error`, which the others are told; later where it suffers from another rank's end.
  void fail_run(const std::exception& error);

 private:
  std::unique_ptr<distributed::JoinedRanks> joined_;
  std::unique_ptr<distributed::Communicator> own_;
  distributed::Communicator* communicator_;
  int on_this_machine_ = 1;
  std::unique_ptr<distributed::Watchdog> watchdog_;
  distributed::Faults faults_;
  bool failed_ = false;
};

// The optimizer of a model over the ranks. The model tells it of its passes.
std::unique_ptr<distributed::ShardedAdamW> make_optimizer(model::Model& model, const OptimizerSection& optimizer,
                                                          const ParallelSection& parallel, Ranks& ranks);
// The weights of a frozen model, divided as the policy's are; null where they are not.
std::unique_ptr<distributed::ShardedWeights> divide_weights(model::Model& model, const ParallelSection& parallel,
                                                            Ranks& ranks);

// Whether the whole weights are to be gathered for a rollout (parallel.gather_for_rollout), the same on all ranks;
// `kv_bytes` are those of the cache. Collective; false where nothing is divided.
bool gathers_for_rollout(const model::Model& model, const ParallelSection& parallel, int64_t kv_bytes, Ranks& ranks);

// What the faults nan_gradient and desync do to a model. Weights that are divided cannot differ: an Error.
void spoil_gradient(const model::Model& model);
void spoil_weight(const model::Model& model);

// Threads of tensor operations on this rank: as configured; where that is 0, its share of the machine's cores.
int threads_of_rank(int configured, const distributed::RankFacts& facts);

}  // namespace laconic::trainers

#include "laconic/trainers/ranks.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/single_process.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/linear.h"
#include "laconic/cuda/loader.h"
#include "laconic/trainers/memory.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {
namespace {

std::unique_ptr<distributed::JoinedRanks> join(const distributed::RankFacts& facts, const std::string& configuration,
                                               const ParallelSection& section, ComputeDevice device) {
  auto identity = distributed::program_identity();
  identity.emplace_back("set of kernels", ops::kernels().name);
  identity.emplace_back("configuration", configuration);
  distributed::JoinOptions options;
  const auto in_milliseconds = [](double seconds) {
    return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
  };
  options.start_timeout = in_milliseconds(section.start_timeout);
  // Whether a wait is too long is the watchdog's question: a rank may wait while another still makes progress.
  options.collective_timeout = std::chrono::hours(24 * 7);
  options.interface = section.interface;
  if (device == ComputeDevice::cuda) {
    const int gpu = use_gpu(facts.local_rank);
    options.make_communicator = [&facts, gpu, timeout = options.collective_timeout](c10d::Store& store) {
      return cuda::require_cuda().nccl_communicator(store, {facts.rank, facts.world_size, gpu, timeout});
    };
  }
  return distributed::join_ranks(facts, identity, options);
}

}  // namespace

Ranks::Ranks()
    : own_(std::make_unique<distributed::SingleProcess>()),
      communicator_(own_.get()),
      faults_(distributed::Faults::from_environment()) {}

Ranks::Ranks(distributed::Communicator& communicator)
    : communicator_(&communicator),
      on_this_machine_(communicator.world_size()),
      faults_(distributed::Faults::from_environment()) {}

Ranks::Ranks(const distributed::RankFacts& facts, const std::string& configuration, const ParallelSection& section,
             ComputeDevice device, std::function<void(const std::string&)> on_failure)
    : joined_(join(facts, configuration, section, device)),
      communicator_(&joined_->communicator()),
      on_this_machine_(facts.local_world_size),
      faults_(distributed::Faults::from_environment()) {
  distributed::WatchdogOptions options;
  options.timeout_s = section.timeout;
  options.on_failure = std::move(on_failure);
  watchdog_ = std::make_unique<distributed::Watchdog>(communicator_->activity(), communicator_->rank(),
                                                      communicator_->world_size(), joined_->blackboard(), options);
}

Ranks::~Ranks() {
  watchdog_.reset();
  // A collective that will never end would be waited for here. The process is about to end.
  if (failed_) static_cast<void>(joined_.release());
}

void Ranks::begin_phase(int64_t step, const char* phase) {
  communicator_->activity().begin_phase(phase);
  if (const auto number = faults_.at(communicator_->rank(), step, phase)) communicator_->corrupt(number);
}

bool Ranks::any(bool here) {
  return alone() ? here : distributed::any_rank(*communicator_, here);
}

void Ranks::finish() {
  if (alone()) return;
  communicator_->activity().begin_phase("end");
  communicator_->barrier();
  if (watchdog_) watchdog_->finished();
  communicator_->barrier();  // rank 0 serves what the watchdogs of the others read
}

void Ranks::fail_run(const std::exception& error) {
  failed_ = true;
  if (!watchdog_) return;
  const bool suffers = dynamic_cast<const distributed::CollectiveError*>(&error) != nullptr;
  if (!suffers) return watchdog_->failed(error.what());
  if (const auto cause = watchdog_->suffered(error.what()); !cause.empty()) log_warning("{}", cause);
}

std::unique_ptr<distributed::ShardedAdamW> make_optimizer(model::Model& model, const OptimizerSection& optimizer,
                                                          const ParallelSection& parallel, Ranks& ranks) {
  const auto reduction = parallel.reduction == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  auto made = std::make_unique<distributed::ShardedAdamW>(trained_tensors(model), optimizer.adamw, ranks.communicator(),
                                                          parallel.shard, reduction);
  if (!ranks.alone()) model.set_weight_use(made.get());
  return made;
}

std::unique_ptr<distributed::ShardedWeights> divide_weights(model::Model& model, const ParallelSection& parallel,
                                                            Ranks& ranks) {
  if (ranks.alone() || parallel.shard != distributed::Shard::parameters) return nullptr;
  distributed::NamedTensors weights;
  for (const auto& parameter : model.parameters()) weights.emplace_back(parameter.name, parameter.tensor);
  auto divided = std::make_unique<distributed::ShardedWeights>(std::move(weights), ranks.communicator());
  model.set_weight_use(divided.get());
  return divided;
}

bool gathers_for_rollout(const model::Model& model, const ParallelSection& parallel, int64_t kv_bytes, Ranks& ranks) {
  if (ranks.alone() || parallel.shard != distributed::Shard::parameters) return false;
  if (parallel.gather_for_rollout != GatherForRollout::automatic)
    return parallel.gather_for_rollout == GatherForRollout::whole;
  const auto weights = model.config().total_parameters() * static_cast<int64_t>(c10::elementSize(model.dtype()));
  // A GPU is a rank's own, a machine's memory is shared.
  const bool gpu = model.device().is_cuda();
  const bool fits = gpu ? weights + kv_bytes <= cuda::free_memory()
                        : (weights + kv_bytes) * ranks.on_this_machine() <= available_memory_bytes();
  return !ranks.any(!fits);
}

void spoil_gradient(const model::Model& model) {
  ops::gradient_of(model.parameters().front().tensor).fill_(std::nan(""));
}

void spoil_weight(const model::Model& model) {
  const at::NoGradGuard no_grad;
  if (model.parameters().front().tensor.storage().nbytes() == 0)
    fail(ErrorKind::usage, "LACONIC_FAULT desync: under parallel.shard: parameters no weight is held twice");
  model.parameters().front().tensor.view({-1})[0] += 0.5;
}

int threads_of_rank(int configured, const distributed::RankFacts& facts) {
  if (configured > 0) return configured;
  if (facts.cores > 0) return facts.cores;
  if (facts.local_world_size == 1) return 0;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / facts.local_world_size);
}

}  // namespace laconic::trainers

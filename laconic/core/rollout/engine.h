// Continuous batching over a paged key/value cache: requests enter and leave at every step; prompts of a group are
// computed once and shared; memory is bounded by a token budget, and requests wait rather than fail.
//
// A completion depends on its own request and the weights alone, bit for bit on the CPU: not on what else runs, the
// budgets, preemption, reuse of caches or the number of threads. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "laconic/core/model/model.h"
#include "laconic/core/rollout/device_step.h"
#include "laconic/core/rollout/draw_job.h"
#include "laconic/core/rollout/kv_cache.h"
#include "laconic/core/rollout/request.h"
#include "laconic/core/rollout/scheduler.h"

namespace laconic::rollout {

struct EngineOptions {
  int64_t kv_tokens = 16384;        // budget of the cache; memory = kv_tokens * KvCache::page_bytes / kPageTokens
  int64_t max_rows = 256;           // sequences decoded at once
  int64_t prefill_tokens = 2048;    // prompt tokens per step
  int64_t logits_bytes = 64 << 20;  // bound of one chunk of logits
  std::function<std::unique_ptr<TextStream>()> make_text_stream = {};  // needed for stop strings
};

struct EngineStatistics {
  int64_t steps = 0;
  int64_t prefilled_tokens = 0;  // rows that were not drawn in the step before: prompts, forced tokens, recomputation
  int64_t decoded_tokens = 0;    // drawn tokens
  int64_t adopted_tokens = 0;    // prompt and continuation tokens whose computation was saved
  int64_t preemptions = 0;
  // On a device the work of a step is waited for where its tokens are read, in sample_seconds.
  double forward_seconds = 0, head_seconds = 0, sample_seconds = 0;
};

class Engine {
 public:
  // The model outlives the engine. Its weights may change between steps only while idle() and nothing is retained.
  Engine(const model::Model& model, EngineOptions options);

  // Checks the request (ids within the vocabulary, lengths within window and budget, parameters) and queues it.
  // Returns its number.
  int64_t submit(Request request);
  // A waiting or running request ends with FinishReason::cancelled and what it has; unknown numbers are ignored.
  void cancel(int64_t request);
  void cancel_all();
  bool idle() const { return scheduler_.idle() && ended_.empty(); }

  // One forward pass; returns what ended, in the order of submission.
  std::vector<Completion> step();
  // Steps until idle; completions in the order of submission.
  std::vector<Completion> run();

  // Gives up the retained cache of an ended request / of all. Continuations then compute their prefix again.
  void release(int64_t request) { scheduler_.release(request); }
  void release_all() { scheduler_.release_all(); }

  EngineStatistics statistics() const;
  const EngineOptions& options() const { return options_; }
  const model::Model& model() const { return model_; }

 private:
  std::vector<DrawJob> collect_jobs(const StepPlan& plan) const;
  void count_prefilled(const StepPlan& plan);
  void forward(const StepPlan& plan);
  void keep_prompt_states(const StepPlan& plan);
  void draw(std::vector<DrawJob>& jobs);
  void take_tokens(const std::vector<DrawJob>& jobs);
  void end(Sequence& sequence, FinishReason reason);
  void give_back(Completion completion, FinishReason reason);
  std::vector<Completion> take_ended();
  void check(const Request& request) const;

  const model::Model& model_;
  EngineOptions options_;
  KvCache cache_;
  Scheduler scheduler_;
  std::unique_ptr<DeviceStep> device_;  // null on the CPU
  model::InferenceBuffers buffers_;
  at::Tensor selected_, normed_, logits_;  // grown to the largest step
  std::vector<Completion> ended_;
  int64_t next_id_ = 0;
  int empty_plans_ = 0;  // in a row
  EngineStatistics statistics_;
};

}  // namespace laconic::rollout

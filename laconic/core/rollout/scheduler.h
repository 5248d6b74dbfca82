// Who runs in the next step, and which pages hold what: continuous batching without a model. Deterministic.
//
// A request waits until a row and pages for its known tokens are free; it never fails for lack of memory. When a
// running sequence needs a page and none is free, caches that are only retained are given up, oldest first, then the
// sequence admitted last goes back to waiting and is computed again later. Neither changes any number.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "laconic/core/rollout/page_pool.h"
#include "laconic/core/rollout/sequence.h"

namespace laconic::rollout {

struct SchedulerOptions {
  int64_t max_rows = 256;         // sequences that run at once
  int64_t prefill_tokens = 2048;  // tokens per step beyond one for each running sequence
  int64_t pages = 0;              // of the cache
};

struct PageCopy {
  int32_t from = 0, to = 0;
  int64_t tokens = 0;
};

struct PlannedSpan {
  Sequence* sequence = nullptr;
  int64_t first_row = 0;
  int64_t rows = 0;  // tokens cached .. cached + rows - 1 of the sequence
};

struct StepPlan {
  std::vector<PageCopy> copies;  // to be done before the forward pass
  std::vector<PlannedSpan> spans;
  std::vector<Sequence*> from_prompt;  // whose first token follows from their prompt's hidden state, without a row
  int64_t rows = 0;

  bool empty() const { return spans.empty() && from_prompt.empty(); }
};

class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options);

  void submit(std::unique_ptr<Sequence> sequence);
  bool idle() const { return waiting_.empty() && running_.empty(); }

  StepPlan plan();
  // The rows of the plan are in the cache now.
  void advance(const StepPlan& plan);
  // Prompts that the plan completes and that others wait for: (prompt, row of its last token). Ask before advance().
  std::vector<std::pair<SharedPrompt*, int64_t>> completed_prompts(const StepPlan& plan) const;

  // Takes a running sequence out; its pages are freed, or retained where the request says so.
  std::unique_ptr<Sequence> finish(Sequence& sequence);
  // Takes out a waiting sequence, or marks a running one; null for an unknown or a running one.
  std::unique_ptr<Sequence> cancel(int64_t id);
  std::vector<std::unique_ptr<Sequence>> cancel_all();
  std::vector<Sequence*> cancelled() const;  // running ones that are marked; to be finished before the next plan
  void release(int64_t id);                  // of a retained cache; unknown ids are ignored (it may have been given up)
  void release_all();

  const std::vector<std::unique_ptr<Sequence>>& running() const { return running_; }
  int64_t waiting() const { return static_cast<int64_t>(waiting_.size()); }
  int64_t preemptions() const { return preemptions_; }
  int64_t adopted_tokens() const { return adopted_tokens_; }  // whose computation was saved by sharing
  const PagePool& pages() const { return pool_; }

 private:
  struct Retained {
    std::vector<int32_t> tokens;  // those whose keys and values are held
    std::vector<int32_t> pages;
  };
  void admit(StepPlan& plan);
  bool try_admit(Sequence& sequence, StepPlan& plan);
  // The longest known prefix that is computed already: its pages and length.
  std::pair<const std::vector<int32_t>*, int64_t> find_prefix(const Sequence& sequence) const;
  void adopt(Sequence& sequence, const std::vector<int32_t>& pages, int64_t tokens, StepPlan& plan);
  bool make_room(int64_t pages);
  void give_up(SharedPrompt& prompt);
  bool give_up_a_prompt();
  void forget_unwanted_prompts();
  bool cover(Sequence& sequence, int64_t tokens);
  void preempt_last();
  void drop_pages(std::vector<int32_t>& pages);
  void leave_prompt(Sequence& sequence);

  SchedulerOptions options_;
  PagePool pool_;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  std::vector<std::unique_ptr<Sequence>> running_;                         // in the order of admission
  std::map<std::vector<int32_t>, std::shared_ptr<SharedPrompt>> prompts_;  // shared with the sequences
  std::map<int64_t, Retained> retained_;
  int64_t preemptions_ = 0;
  int64_t adopted_tokens_ = 0;
};

}  // namespace laconic::rollout

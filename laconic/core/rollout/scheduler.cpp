#include "laconic/core/rollout/scheduler.h"

#include <algorithm>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/paged_attention.h"

namespace laconic::rollout {
namespace {

int64_t pages_for(int64_t tokens) {
  return (tokens + ops::kPageTokens - 1) / ops::kPageTokens;
}

int64_t common_prefix(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  const auto limit = std::min(a.size(), b.size());
  return std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(limit), b.begin()).first - a.begin();
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options) : options_(options), pool_(options.pages) {
  LACONIC_CHECK(options.max_rows > 0 && options.prefill_tokens > 0 && options.pages > 0,
                "the scheduler's limits must be above 0");
}

void Scheduler::submit(std::unique_ptr<Sequence> sequence) {
  auto& record = prompts_[sequence->request.prompt];
  if (!record) {
    record = std::make_shared<SharedPrompt>();
    record->ids = sequence->request.prompt;
  }
  ++record->waiting;
  sequence->prompt = record;
  waiting_.push_back(std::move(sequence));
}

StepPlan Scheduler::plan() {
  StepPlan plan;
  admit(plan);
  int64_t budget = options_.prefill_tokens;
  // By index: running out of pages takes sequences off the end, which are not planned yet.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.starts_from_prompt) plan.from_prompt.push_back(&sequence);
    const int64_t missing = sequence.known() - sequence.cached;
    const int64_t rows = missing == 1 ? 1 : std::min(missing, budget);
    if (rows == 0) continue;
    if (!cover(sequence, sequence.cached + rows)) break;  // it was itself the last one, and waits again
    if (rows > 1) budget -= rows;
    plan.spans.push_back({&sequence, plan.rows, rows});
    plan.rows += rows;
  }
  return plan;
}

void Scheduler::admit(StepPlan& plan) {
  for (auto next = waiting_.begin();
       next != waiting_.end() && static_cast<int64_t>(running_.size()) < options_.max_rows;) {
    Sequence& sequence = **next;
    const auto& prompt = *sequence.prompt;
    // The prompt is being computed: its other requests wait for it instead of computing it again.
    if (!prompt.ready && prompt.leader >= 0) {
      ++next;
      continue;
    }
    if (!try_admit(sequence, plan)) return;
    auto admitted = std::move(*next);
    next = waiting_.erase(next);
    running_.push_back(std::move(admitted));
  }
}

std::pair<const std::vector<int32_t>*, int64_t> Scheduler::find_prefix(const Sequence& sequence) const {
  std::pair<const std::vector<int32_t>*, int64_t> longest = {nullptr, 0};
  if (sequence.prompt->ready) longest = {&sequence.prompt->pages, sequence.prompt_tokens()};
  if (const auto parent = sequence.request.kept.parent) {
    const auto found = retained_.find(*parent);
    if (found != retained_.end()) {
      // The token before the first one that is not scored yet is run: its hidden state is wanted.
      const int64_t shared = std::min(common_prefix(found->second.tokens, sequence.tokens),
                                      sequence.prompt_tokens() + sequence.scored() - 1);
      if (shared > longest.second) longest = {&found->second.pages, shared};
    }
  }
  return longest;
}

bool Scheduler::try_admit(Sequence& sequence, StepPlan& plan) {
  const auto wanted = [&] { return pages_for(sequence.known()) - find_prefix(sequence).second / ops::kPageTokens; };
  // One page for each running sequence is kept back, so that admission does not cause preemption at once.
  const int64_t reserve = std::min(static_cast<int64_t>(running_.size()), pool_.capacity() / 4);
  make_room(wanted() + reserve);
  // Nothing runs that could free a page later.
  while (running_.empty() && pool_.available() < wanted() && give_up_a_prompt()) {
  }
  // Making room may have given up the prefix that was to be shared, so what is wanted is asked again.
  if (pool_.available() < wanted() + reserve) return false;
  const auto [pages, shared] = find_prefix(sequence);
  if (pages != nullptr) adopt(sequence, *pages, shared, plan);
  const bool covered = cover(sequence, sequence.known());
  LACONIC_CHECK(covered, "room was made for request {}, but it got none", sequence.id);
  --sequence.prompt->waiting;
  sequence.starts_from_prompt = sequence.cached == sequence.prompt_tokens() && sequence.scored() == 0;
  if (sequence.cached < sequence.prompt_tokens()) sequence.prompt->leader = sequence.id;
  return true;
}

void Scheduler::adopt(Sequence& sequence, const std::vector<int32_t>& pages, int64_t tokens, StepPlan& plan) {
  const int64_t whole = tokens / ops::kPageTokens, rest = tokens % ops::kPageTokens;
  LACONIC_CHECK(sequence.pages.empty(), "a sequence adopts pages only when it has none");
  for (int64_t i = 0; i < whole; ++i) {
    pool_.share(pages[static_cast<size_t>(i)]);
    sequence.pages.push_back(pages[static_cast<size_t>(i)]);
  }
  if (rest > 0) {
    const auto own = pool_.take();
    LACONIC_CHECK(own.has_value(), "room was made for the page of a shared prefix, but none is free");
    plan.copies.push_back({pages[static_cast<size_t>(whole)], *own, rest});
    sequence.pages.push_back(*own);
  }
  sequence.cached = tokens;
  adopted_tokens_ += tokens;
}

// Gives up retained caches until so many pages are free.
bool Scheduler::make_room(int64_t pages) {
  while (pool_.available() < pages && !retained_.empty()) release(retained_.begin()->first);
  return pool_.available() >= pages;
}

void Scheduler::give_up(SharedPrompt& prompt) {
  drop_pages(prompt.pages);
  prompt.ready = false;
  prompt.last_hidden.reset();
}

// Forgets a computed prompt that requests wait for; they compute it again. False when there is none.
bool Scheduler::give_up_a_prompt() {
  for (auto& entry : prompts_) {
    if (!entry.second->ready) continue;
    give_up(*entry.second);
    return true;
  }
  return false;
}

// Pages for the first `tokens` tokens; takes them from sequences admitted later. False when the sequence itself had to
// go back to waiting.
bool Scheduler::cover(Sequence& sequence, int64_t tokens) {
  while (static_cast<int64_t>(sequence.pages.size()) < pages_for(tokens)) {
    if (make_room(1)) {
      sequence.pages.push_back(*pool_.take());
      continue;
    }
    LACONIC_CHECK(!running_.empty(), "a request needs more pages than the cache has");
    if (running_.size() == 1 && give_up_a_prompt()) continue;  // else it would wait for itself
    const bool itself = running_.back().get() == &sequence;
    preempt_last();
    if (itself) return false;
  }
  return true;
}

void Scheduler::preempt_last() {
  auto victim = std::move(running_.back());
  running_.pop_back();
  leave_prompt(*victim);
  drop_pages(victim->pages);
  victim->cached = 0;
  victim->starts_from_prompt = false;
  // Its prompt may have been forgotten, or begun anew by later requests.
  auto& record = prompts_[victim->request.prompt];
  if (record) {
    victim->prompt = record;
  } else {
    record = victim->prompt;
  }
  ++record->waiting;
  waiting_.push_front(std::move(victim));
  ++preemptions_;
}

void Scheduler::drop_pages(std::vector<int32_t>& pages) {
  for (int32_t page : pages) pool_.drop(page);
  pages.clear();
}

// A leader that stops before the prompt is complete leaves it to the next request.
void Scheduler::leave_prompt(Sequence& sequence) {
  if (sequence.prompt->leader == sequence.id) sequence.prompt->leader = -1;
}

std::vector<std::pair<SharedPrompt*, int64_t>> Scheduler::completed_prompts(const StepPlan& plan) const {
  std::vector<std::pair<SharedPrompt*, int64_t>> completed;
  for (const auto& span : plan.spans) {
    const Sequence& s = *span.sequence;
    const int64_t last = s.prompt_tokens() - 1;
    if (s.prompt->leader == s.id && s.cached <= last && last < s.cached + span.rows && s.prompt->waiting > 0) {
      completed.emplace_back(s.prompt.get(), span.first_row + last - s.cached);
    }
  }
  return completed;
}

void Scheduler::advance(const StepPlan& plan) {
  for (const auto& span : plan.spans) {
    Sequence& s = *span.sequence;
    s.cached += span.rows;
    if (s.prompt->leader != s.id || s.cached < s.prompt_tokens()) continue;
    s.prompt->leader = -1;
    if (s.prompt->waiting == 0) continue;
    for (int64_t i = 0; i < pages_for(s.prompt_tokens()); ++i) {
      pool_.share(s.pages[static_cast<size_t>(i)]);
      s.prompt->pages.push_back(s.pages[static_cast<size_t>(i)]);
    }
    s.prompt->ready = true;
  }
  for (Sequence* s : plan.from_prompt) s->starts_from_prompt = false;
  forget_unwanted_prompts();
}

// Nobody waits for these any more. After everything that ends a wait: a computed prompt that outlived the requests for
// it would hold its pages, and answer for a model whose weights have changed since.
void Scheduler::forget_unwanted_prompts() {
  std::erase_if(prompts_, [&](auto& entry) {
    auto& prompt = *entry.second;
    if (prompt.waiting > 0 || prompt.leader >= 0) return false;
    give_up(prompt);
    return true;
  });
}

std::unique_ptr<Sequence> Scheduler::finish(Sequence& sequence) {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [&](const auto& r) { return r.get() == &sequence; });
  LACONIC_CHECK(found != running_.end(), "request {} does not run", sequence.id);
  auto taken = std::move(*found);
  running_.erase(found);
  leave_prompt(*taken);
  if (taken->request.retain && !taken->cancelled) {
    Retained retained;
    retained.tokens.assign(taken->tokens.begin(), taken->tokens.begin() + static_cast<std::ptrdiff_t>(taken->cached));
    retained.pages = std::exchange(taken->pages, {});
    retained_[taken->id] = std::move(retained);
  } else {
    drop_pages(taken->pages);
  }
  forget_unwanted_prompts();
  return taken;
}

std::unique_ptr<Sequence> Scheduler::cancel(int64_t id) {
  for (const auto& running : running_) {
    if (running->id == id) running->cancelled = true;
  }
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w->id == id; });
  if (found == waiting_.end()) return nullptr;
  auto taken = std::move(*found);
  waiting_.erase(found);
  --taken->prompt->waiting;
  forget_unwanted_prompts();
  return taken;
}

std::vector<std::unique_ptr<Sequence>> Scheduler::cancel_all() {
  for (const auto& running : running_) running->cancelled = true;
  std::vector<std::unique_ptr<Sequence>> taken;
  for (auto& waiting : waiting_) {
    --waiting->prompt->waiting;
    taken.push_back(std::move(waiting));
  }
  waiting_.clear();
  forget_unwanted_prompts();
  return taken;
}

std::vector<Sequence*> Scheduler::cancelled() const {
  std::vector<Sequence*> all;
  for (const auto& running : running_) {
    if (running->cancelled) all.push_back(running.get());
  }
  return all;
}

void Scheduler::release(int64_t id) {
  const auto found = retained_.find(id);
  if (found == retained_.end()) return;
  drop_pages(found->second.pages);
  retained_.erase(found);
}

void Scheduler::release_all() {
  while (!retained_.empty()) release(retained_.begin()->first);
}

}  // namespace laconic::rollout

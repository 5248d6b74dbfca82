// A scheduler with a pretended model: pages hold, instead of keys and values, the hash of the tokens up to each
// position. Every page that the scheduler hands out, shares, copies or takes back is checked for what it must hold.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/rollout/scheduler.h"

namespace laconic::rollout {

class SchedulerSimulation {
 public:
  explicit SchedulerSimulation(const SchedulerOptions& options)
      : scheduler(options), options_(options), slots_(static_cast<size_t>(options.pages * ops::kPageTokens), 0) {}

  int64_t submit(Request request) {
    auto s = std::make_unique<Sequence>();
    s->id = next_id_++;
    s->tokens = request.prompt;
    for (const auto* ids : {&request.kept.ids, &request.forced_prefix})
      s->tokens.insert(s->tokens.end(), ids->begin(), ids->end());
    s->completion.ids.assign(s->tokens.begin() + static_cast<std::ptrdiff_t>(request.prompt.size()), s->tokens.end());
    s->completion.logprobs.assign(request.kept.ids.size(), 0.0f);
    s->limit = static_cast<int64_t>(request.kept.ids.size()) + request.max_tokens;
    s->request = std::move(request);
    const int64_t id = s->id;
    scheduler.submit(std::move(s));
    return id;
  }

  // One step as the engine makes it. The next token of a sequence is a function of its tokens.
  void step() {
    for (Sequence* s : scheduler.cancelled()) end(*s);
    const StepPlan plan = scheduler.plan();
    check_limits(plan);
    for (const auto& copy : plan.copies) {
      for (int64_t i = 0; i < copy.tokens; ++i) slot(copy.to, i) = slot(copy.from, i);
    }
    write(plan);
    for (const auto& [prompt, row] : scheduler.completed_prompts(plan))
      prompt->last_hidden = at::full({1}, static_cast<int64_t>(hash(prompt->ids, prompt->ids.size())), at::kLong);
    std::vector<Sequence*> touched;
    const auto take = [&](Sequence* s, int64_t index) {  // the token `index` of the completion follows
      if (index < s->scored()) return;
      ASSERT_EQ(index, s->scored()) << "a token is skipped";
      if (index == s->completed()) {
        s->completion.ids.push_back(next_token(s->tokens));
        s->tokens.push_back(s->completion.ids.back());
      }
      s->completion.logprobs.push_back(0.0f);
      if (touched.empty() || touched.back() != s) touched.push_back(s);
    };
    for (Sequence* s : plan.from_prompt) {
      ASSERT_TRUE(s->prompt->ready && s->prompt->last_hidden.defined()) << "the prompt's state is gone";
      ASSERT_EQ(s->prompt->last_hidden.item<int64_t>(),
                static_cast<int64_t>(hash(s->tokens, s->request.prompt.size())));
      take(s, 0);
    }
    for (const auto& span : plan.spans) {
      Sequence* s = span.sequence;
      const int64_t known = s->known();
      for (int64_t at = std::max(s->cached, s->prompt_tokens() - 1); at < s->cached + span.rows && at < known; ++at) {
        if (const int64_t index = at + 1 - s->prompt_tokens(); index < s->limit) take(s, index);
      }
    }
    scheduler.advance(plan);
    ++steps;
    empty_plans_ = plan.empty() && !scheduler.idle() ? empty_plans_ + 1 : 0;
    ASSERT_LT(empty_plans_, 2) << "the scheduler stalls";
    // A sequence may be there twice: for its prompt's state and for its rows.
    std::set<Sequence*> seen;
    for (Sequence* s : touched) {
      if (seen.insert(s).second && s->scored() == s->limit) end(*s);
    }
    check_pages();
  }

  void cancel(int64_t id) {
    if (auto waiting = scheduler.cancel(id)) keep(std::move(waiting));
  }
  void cancel_all() {
    for (auto& waiting : scheduler.cancel_all()) keep(std::move(waiting));
  }

  Scheduler scheduler;
  int64_t steps = 0;
  std::map<int64_t, std::unique_ptr<Sequence>> ended;
  std::vector<int64_t> order;  // of ending

  static int32_t next_token(const std::vector<int32_t>& tokens) {
    return static_cast<int32_t>(hash(tokens, tokens.size()) % 50);
  }

 private:
  static uint64_t hash(const std::vector<int32_t>& tokens, size_t count) {
    uint64_t h = 1;
    for (size_t i = 0; i < count; ++i) h = mix_key({h, static_cast<uint64_t>(tokens[i])});
    return h;
  }
  uint64_t& slot(int32_t page, int64_t at) { return slots_.at(static_cast<size_t>(page * ops::kPageTokens + at)); }

  void keep(std::unique_ptr<Sequence> s) {
    order.push_back(s->id);
    ended[s->id] = std::move(s);
  }
  void end(Sequence& s) { keep(scheduler.finish(s)); }

  void check_limits(const StepPlan& plan) {
    const auto running = static_cast<int64_t>(scheduler.running().size());
    ASSERT_LE(running, options_.max_rows);
    ASSERT_LE(plan.rows, options_.prefill_tokens + running);
    int64_t rows = 0;
    for (const auto& span : plan.spans) {
      ASSERT_EQ(span.first_row, rows);
      ASSERT_GT(span.rows, 0);
      ASSERT_LE(span.sequence->cached + span.rows, span.sequence->known());
      rows += span.rows;
    }
    ASSERT_EQ(rows, plan.rows);
  }

  // What a span reads must be there, in full; what it writes is written before anything else reads.
  void write(const StepPlan& plan) {
    std::map<std::pair<int32_t, int64_t>, int64_t> writer;
    for (const auto& span : plan.spans) {
      const Sequence& s = *span.sequence;
      uint64_t h = 1;
      for (int64_t at = 0; at < s.cached + span.rows; ++at) {
        h = mix_key({h, static_cast<uint64_t>(s.tokens[static_cast<size_t>(at)])});
        const int32_t page = s.pages.at(static_cast<size_t>(at / ops::kPageTokens));
        const int64_t place = at % ops::kPageTokens;
        if (at < s.cached) {
          ASSERT_EQ(slot(page, place), h) << "request " << s.id << " reads position " << at << " of another sequence";
        } else {
          const auto [previous, fresh] = writer.emplace(std::pair(page, place), s.id);
          ASSERT_TRUE(fresh) << "requests " << s.id << " and " << previous->second << " write to one place";
          slot(page, place) = h;
        }
      }
    }
  }

  // Pages in use and free ones make up the pool; a page that a sequence will write to has no other running reader.
  void check_pages() {
    std::map<int32_t, int> readers;
    for (const auto& s : scheduler.running()) {
      for (int32_t page : s->pages) ++readers[page];
    }
    for (const auto& s : scheduler.running()) {
      for (size_t i = static_cast<size_t>(s->cached / ops::kPageTokens); i < s->pages.size(); ++i)
        ASSERT_EQ(readers[s->pages[i]], 1) << "request " << s->id << " will write into a page of another one";
    }
    ASSERT_LE(static_cast<int64_t>(readers.size()) + scheduler.pages().available(), options_.pages);
  }

  SchedulerOptions options_;
  std::vector<uint64_t> slots_;
  int64_t next_id_ = 0;
  int empty_plans_ = 0;
};

}  // namespace laconic::rollout

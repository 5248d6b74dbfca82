#include "laconic/core/rollout/engine.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::rollout {

const char* to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
  }
  return "unknown";
}

namespace {

int64_t budget_pages(const EngineOptions& options) {
  return std::max<int64_t>(1, (options.kv_tokens + ops::kPageTokens - 1) / ops::kPageTokens);
}

// A view of the first `rows` rows, reallocated when too small.
at::Tensor rows_of(at::Tensor& buffer, int64_t rows, int64_t width) {
  if (!buffer.defined() || buffer.size(0) < rows) buffer = at::empty({rows, width}, at::kFloat);
  return buffer.narrow(0, 0, rows);
}

}  // namespace

Engine::Engine(const model::Model& model, EngineOptions options)
    : model_(model),
      options_(std::move(options)),
      cache_(model, budget_pages(options_)),
      scheduler_({options_.max_rows, options_.prefill_tokens, budget_pages(options_)}) {
  if (const auto* ops = ops::device_ops(model.device()))
    device_ = std::make_unique<DeviceStep>(model_, *ops, cache_, ops->make_graphs(), options_.max_rows);
}

void Engine::check(const Request& r) const {
  const auto& config = model_.config();
  if (r.prompt.empty()) fail(ErrorKind::input, "a prompt needs at least one token");
  for (const auto* ids : {&r.prompt, &r.kept.ids, &r.forced_prefix}) {
    for (int32_t id : *ids) {
      if (id < 0 || id >= config.vocab_size)
        fail(ErrorKind::input, "token id {} is outside of the model's vocabulary of {}", id, config.vocab_size);
    }
  }
  const auto forced = static_cast<int64_t>(r.forced_prefix.size());
  if (r.max_tokens < 1) fail(ErrorKind::input, "max_tokens: expected at least 1, found {}", r.max_tokens);
  if (forced > r.max_tokens)
    fail(ErrorKind::input, "{} forced tokens do not fit into max_tokens: {}", forced, r.max_tokens);
  const auto begin = static_cast<int64_t>(r.prompt.size() + r.kept.ids.size());
  if (begin + r.max_tokens > config.max_positions) {
    fail(ErrorKind::input, "{} prompt tokens and {} new ones are more than the model's window of {}", begin,
         r.max_tokens, config.max_positions);
  }
  if (const int64_t capacity = scheduler_.pages().capacity() * ops::kPageTokens; begin + r.max_tokens > capacity) {
    fail(ErrorKind::input,
         "{} prompt tokens and {} new ones are more than the cache's budget of {} tokens; raise kv_tokens", begin,
         r.max_tokens, capacity);
  }
  const auto& s = r.sampling;
  if (!(s.temperature >= 0)) fail(ErrorKind::input, "temperature: expected a number >= 0, found {}", s.temperature);
  if (!(s.top_p > 0 && s.top_p <= 1)) fail(ErrorKind::input, "top_p: expected a number in (0, 1], found {}", s.top_p);
  if (!(s.min_p >= 0 && s.min_p <= 1)) fail(ErrorKind::input, "min_p: expected a number in [0, 1], found {}", s.min_p);
  if (s.top_k < 0) fail(ErrorKind::input, "top_k: expected a number >= 0, found {}", s.top_k);
  if (!r.stop_strings.empty() && !options_.make_text_stream)
    fail(ErrorKind::input, "stop strings need a tokenizer, which this engine does not have");
  for (const auto& stop : r.stop_strings) {
    if (stop.empty()) fail(ErrorKind::input, "an empty stop string stops everything");
  }
  LACONIC_CHECK(r.kept.logprobs.size() == r.kept.ids.size() && r.kept.forced.size() == r.kept.ids.size() &&
                    (!r.want_entropy || r.kept.entropies.size() == r.kept.ids.size()),
                "what is known of kept tokens must be parallel to their ids");
}

int64_t Engine::submit(Request request) {
  check(request);
  auto sequence = std::make_unique<Sequence>();
  sequence->id = next_id_++;
  sequence->tokens = request.prompt;
  for (const auto* ids : {&request.kept.ids, &request.forced_prefix})
    sequence->tokens.insert(sequence->tokens.end(), ids->begin(), ids->end());
  auto& c = sequence->completion;
  c.request = sequence->id;
  c.ids.assign(sequence->tokens.begin() + static_cast<std::ptrdiff_t>(request.prompt.size()), sequence->tokens.end());
  c.logprobs = request.kept.logprobs;
  if (request.want_entropy) c.entropies = request.kept.entropies;
  c.forced = request.kept.forced;
  c.forced.resize(c.ids.size(), 1);
  sequence->limit = static_cast<int64_t>(request.kept.ids.size()) + request.max_tokens;
  if (!request.stop_strings.empty()) {
    sequence->stop_text = std::make_unique<StopText>(request.stop_strings, options_.make_text_stream());
    for (int32_t id : c.ids) sequence->stop_text->push(id, /*forced=*/true);
  }
  sequence->request = std::move(request);
  const int64_t id = sequence->id;
  scheduler_.submit(std::move(sequence));
  return id;
}

void Engine::cancel(int64_t request) {
  if (auto waiting = scheduler_.cancel(request)) give_back(std::move(waiting->completion), FinishReason::cancelled);
}

void Engine::cancel_all() {
  for (auto& waiting : scheduler_.cancel_all()) give_back(std::move(waiting->completion), FinishReason::cancelled);
}

void Engine::give_back(Completion completion, FinishReason reason) {
  completion.finish = reason;
  // A cancelled request may hold forced tokens that were never scored: they are not part of what it has.
  completion.ids.resize(completion.logprobs.size());
  completion.forced.resize(completion.logprobs.size());
  ended_.push_back(std::move(completion));
}

std::vector<DrawJob> Engine::collect_jobs(const StepPlan& plan) const {
  std::vector<DrawJob> jobs;
  const auto add = [&](Sequence* s, int64_t row, int64_t index) {
    if (index < s->scored()) return;  // known from before a preemption, or kept
    const bool forced = index < s->completed();
    if (forced || index < s->limit) jobs.push_back({s, row, index, !forced, {}});
  };
  for (Sequence* s : plan.from_prompt) add(s, -1, 0);
  for (const auto& span : plan.spans) {
    const int64_t first = std::max(span.sequence->cached, span.sequence->prompt_tokens() - 1);
    for (int64_t position = first; position < span.sequence->cached + span.rows; ++position) {
      add(span.sequence, span.first_row + position - span.sequence->cached,
          position + 1 - span.sequence->prompt_tokens());
    }
  }
  return jobs;
}

void Engine::keep_prompt_states(const StepPlan& plan) {
  for (const auto& [prompt, row] : scheduler_.completed_prompts(plan))
    prompt->last_hidden = device_ ? device_->hidden(row) : buffers_.x.select(0, row).clone();
}

void Engine::count_prefilled(const StepPlan& plan) {
  for (const auto& span : plan.spans) {
    const Sequence& s = *span.sequence;
    const bool decoding = span.rows == 1 && s.cached + 1 == s.known() && s.cached >= s.prompt_tokens();
    if (!decoding) statistics_.prefilled_tokens += span.rows;
  }
}

// On the CPU.
void Engine::forward(const StepPlan& plan) {
  auto ids = at::empty({plan.rows}, at::kLong), positions = at::empty({plan.rows}, at::kLong);
  std::vector<ops::PagedSpan> spans;
  spans.reserve(plan.spans.size());
  for (const auto& span : plan.spans) {
    const Sequence& s = *span.sequence;
    for (int64_t i = 0; i < span.rows; ++i) {
      ids.mutable_data_ptr<int64_t>()[span.first_row + i] = s.tokens[static_cast<size_t>(s.cached + i)];
      positions.mutable_data_ptr<int64_t>()[span.first_row + i] = s.cached + i;
    }
    spans.push_back({span.first_row, span.rows, s.cached, s.pages.data()});
  }
  CachedAttention attention(cache_, spans);
  model_.hidden_states(ids, positions, attention, buffers_);
}

std::vector<Completion> Engine::step() {
  const at::NoGradGuard no_grad;
  for (Sequence* cancelled : scheduler_.cancelled()) end(*cancelled, FinishReason::cancelled);
  const StepPlan plan = scheduler_.plan();
  if (plan.empty()) {
    // One empty plan may follow from a preemption; a second one would never end.
    LACONIC_CHECK(scheduler_.idle() || ++empty_plans_ < 2,
                  "the scheduler stalls: {} requests run, {} wait, {} of {} pages are free",
                  scheduler_.running().size(), scheduler_.waiting(), scheduler_.pages().available(),
                  scheduler_.pages().capacity());
    return take_ended();
  }
  empty_plans_ = 0;
  Timer timer;
  for (const auto& copy : plan.copies) cache_.copy_page(copy.from, copy.to, copy.tokens);
  if (plan.rows > 0) {
    count_prefilled(plan);
    device_ ? device_->forward(plan) : forward(plan);
    keep_prompt_states(plan);
  }
  statistics_.forward_seconds += timer.lap();
  auto jobs = collect_jobs(plan);
  if (device_) {
    device_->draw(jobs);
    statistics_.sample_seconds += timer.lap();
  } else {
    draw(jobs);
  }
  scheduler_.advance(plan);
  ++statistics_.steps;
  take_tokens(jobs);
  return take_ended();
}

std::vector<Completion> Engine::take_ended() {
  std::sort(ended_.begin(), ended_.end(), [](const auto& a, const auto& b) { return a.request < b.request; });
  return std::exchange(ended_, {});
}

// On the CPU.
void Engine::draw(std::vector<DrawJob>& jobs) {
  const auto n = static_cast<int64_t>(jobs.size());
  if (n == 0) return;
  Timer timer;
  const auto& config = model_.config();
  const int64_t hidden = config.hidden, vocab = config.vocab_size;
  auto selected = rows_of(selected_, n, hidden);
  auto normed = rows_of(normed_, n, hidden);
  float* target = selected.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) {
    const DrawJob& job = jobs[static_cast<size_t>(i)];
    const at::Tensor& state = job.sequence->prompt->last_hidden;
    const float* source =
        job.row < 0 ? state.const_data_ptr<float>() : buffers_.x.const_data_ptr<float>() + job.row * hidden;
    std::copy_n(source, hidden, target + i * hidden);
  }
  model_.acquire_head(model::Pass::inference);
  ops::rms_norm_into(selected, model_.final_norm(), config.rms_epsilon, normed);
  const int64_t chunk = std::clamp<int64_t>(options_.logits_bytes / (4 * vocab), 1, n);
  for (int64_t begin = 0; begin < n; begin += chunk) {
    const int64_t rows = std::min(chunk, n - begin);
    auto logits = rows_of(logits_, rows, vocab);
    ops::linear_into(normed.narrow(0, begin, rows), model_.head(), {}, logits);
    statistics_.head_seconds += timer.lap();
    const float* data = logits.const_data_ptr<float>();
    ops::parallel_tasks(rows, [&](int64_t i) {
      thread_local ops::SamplerScratch scratch;
      DrawJob& job = jobs[static_cast<size_t>(begin + i)];
      const Request& r = job.sequence->request;
      const float* row = data + i * vocab;
      if (job.drawn) {
        const double u = uniform_draw(r.identity, DrawPurpose::sample_token, static_cast<uint32_t>(job.index));
        job.token = ops::sample_token(row, vocab, r.sampling, u, r.want_entropy, scratch);
      } else {
        const int32_t id = job.sequence->completion.ids[static_cast<size_t>(job.index)];
        job.token = ops::score_token(row, vocab, r.sampling, id, r.want_entropy, scratch);
      }
    });
    statistics_.sample_seconds += timer.lap();
  }
  model_.release_head(model::Pass::inference);
}

void Engine::take_tokens(const std::vector<DrawJob>& jobs) {
  for (const DrawJob& job : jobs) {
    Sequence& s = *job.sequence;
    if (!job.token.finite) {
      fail(ErrorKind::numeric,
           "the model's logits are not finite after {} tokens (request {}): its weights are damaged or have diverged",
           s.prompt_tokens() + job.index, s.id);
    }
    auto& c = s.completion;
    c.logprobs.push_back(job.token.logprob);
    if (s.request.want_entropy) c.entropies.push_back(job.token.entropy);
    bool stop = false;
    if (job.drawn) {
      s.tokens.push_back(job.token.id);
      c.ids.push_back(job.token.id);
      c.forced.push_back(0);
      ++c.drawn;
      ++statistics_.decoded_tokens;
      const auto& stops = s.request.stop_ids;
      stop = std::find(stops.begin(), stops.end(), job.token.id) != stops.end();
      if (s.stop_text && s.stop_text->push(job.token.id, /*forced=*/false)) stop = true;
    }
    if (stop) {
      end(s, FinishReason::stop);
    } else if (s.scored() == s.limit) {
      end(s, FinishReason::length);
    }
  }
}

void Engine::end(Sequence& sequence, FinishReason reason) {
  give_back(std::move(scheduler_.finish(sequence)->completion), reason);
}

std::vector<Completion> Engine::run() {
  std::vector<Completion> all;
  while (!idle()) {
    for (auto& completion : step()) all.push_back(std::move(completion));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.request < b.request; });
  return all;
}

EngineStatistics Engine::statistics() const {
  auto statistics = statistics_;
  statistics.adopted_tokens = scheduler_.adopted_tokens();
  statistics.preemptions = scheduler_.preemptions();
  return statistics;
}

}  // namespace laconic::rollout

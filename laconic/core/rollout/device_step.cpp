#include "laconic/core/rollout/device_step.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "laconic/core/ops/norm.h"

namespace laconic::rollout {
namespace {

constexpr int64_t kLogitsBytes = int64_t{1} << 30;  // bound of the logits that are held
constexpr int64_t kLeastChunk = 64;                 // rows of logits at once, where memory allows
constexpr int64_t kLeastPages = 8;                  // of a recorded step's table

// Sizes of recorded steps: few, so that recording is soon over, and close, so that little is computed for nothing.
int64_t padded_rows_of(int64_t rows) {
  if (rows <= 8) return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  const int64_t unit = rows <= 64 ? 8 : 32;
  return (rows + unit - 1) / unit * unit;
}

int64_t padded_pages_of(int64_t pages) {
  return std::max(kLeastPages, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(pages))));
}

int64_t pages_for(int64_t tokens) {
  return (tokens + ops::kPageTokens - 1) / ops::kPageTokens;
}

int64_t logit_rows(int64_t vocab, int64_t max_rows) {
  return std::clamp<int64_t>(kLogitsBytes / (4 * vocab), 1, std::max(max_rows, kLeastChunk));
}

// Places in the order in which pass() reads them.
enum Place : uint8_t { kIds, kPositions, kSequence, kTable };

class DeviceAttention final : public model::Attention {
 public:
  DeviceAttention(const ops::DeviceOps& ops, KvCache& cache, const ops::PagedRows& rows)
      : ops_(ops), cache_(cache), rows_(rows) {}
  void attend(int64_t layer, at::Tensor& qkv, const ops::Rotation& rotation, at::Tensor& out) override {
    ops_.rotate_append(qkv, cache_.shape(), rotation, cache_.layer(layer), rows_);
    ops_.paged_attention(qkv, cache_.shape(), cache_.layer(layer), rows_, out);
  }

 private:
  const ops::DeviceOps& ops_;
  KvCache& cache_;
  const ops::PagedRows& rows_;
};

}  // namespace

DeviceStep::DeviceStep(const model::Model& model, const ops::DeviceOps& ops, KvCache& cache,
                       std::unique_ptr<ops::StepGraphs> graphs, int64_t max_rows)
    : model_(model), ops_(ops), cache_(cache), graphs_(std::move(graphs)), max_rows_(max_rows) {}

DeviceStep::Rows DeviceStep::rows_of(const StepPlan& plan, int64_t padded_rows, int64_t padded_pages) const {
  Rows r;
  const auto count = static_cast<size_t>(padded_rows);
  r.ids.resize(count, 0);
  r.positions.resize(count, -1);
  r.sequence.resize(count, 0);
  r.sequences = static_cast<int64_t>(plan.spans.size());
  for (const auto& span : plan.spans) r.pages = std::max(r.pages, pages_for(span.sequence->cached + span.rows));
  r.pages = std::max(r.pages, padded_pages);
  if (padded_rows > plan.rows) r.sequences = padded_rows;  // a recorded step has one line for each row
  r.table.resize(static_cast<size_t>(r.sequences * r.pages), 0);
  for (size_t i = 0; i < plan.spans.size(); ++i) {
    const auto& span = plan.spans[i];
    const Sequence& s = *span.sequence;
    for (int64_t k = 0; k < span.rows; ++k) {
      const auto row = static_cast<size_t>(span.first_row + k), position = static_cast<size_t>(s.cached + k);
      r.ids[row] = s.tokens[position];
      r.positions[row] = s.cached + k;
      r.sequence[row] = static_cast<int32_t>(i);
    }
    const auto used = pages_for(s.cached + span.rows);
    std::copy_n(s.pages.begin(), used, r.table.begin() + static_cast<std::ptrdiff_t>(i) * r.pages);
  }
  return r;
}

// Decoding only, with weights that stay where they are.
bool DeviceStep::replays(const StepPlan& plan) const {
  if (graphs_ == nullptr || !plan.from_prompt.empty()) return false;
  if (model_.weight_use() != nullptr && model_.weight_use()->moves_weights()) return false;
  if (padded_rows_of(plan.rows) > logit_rows(model_.config().vocab_size, max_rows_)) return false;
  return std::all_of(plan.spans.begin(), plan.spans.end(), [](const auto& span) { return span.rows == 1; });
}

void DeviceStep::forward(const StepPlan& plan) {
  logits_ready_ = false;
  if (replays(plan)) return replay(plan);
  const Rows rows = rows_of(plan, plan.rows, 0);
  ops::Upload upload;
  for (const auto* values : {&rows.ids, &rows.positions}) upload.add(*values);
  for (const auto* values : {&rows.sequence, &rows.table}) upload.add(*values);
  upload.send(model_.device());
  pass(rows, upload, buffers_);
  hidden_ = &buffers_.x;
}

void DeviceStep::pass(const Rows& rows, const ops::Upload& sent, model::InferenceBuffers& buffers) const {
  const auto count = static_cast<int64_t>(rows.ids.size());
  const auto positions = sent.get(kPositions, {count}, at::kLong);
  const ops::PagedRows paged{sent.get(kTable, {rows.sequences, rows.pages}, at::kInt),
                             sent.get(kSequence, {count}, at::kInt), positions, rows.pages * ops::kPageTokens};
  DeviceAttention attention(ops_, cache_, paged);
  model_.hidden_states(sent.get(kIds, {count}, at::kLong), positions, attention, buffers);
}

void DeviceStep::replay(const StepPlan& plan) {
  const int64_t count = padded_rows_of(plan.rows), vocab = model_.config().vocab_size;
  int64_t pages = 0;
  for (const auto& span : plan.spans) pages = std::max(pages, pages_for(span.sequence->cached + 1));
  pages = padded_pages_of(pages);
  const Rows rows = rows_of(plan, count, pages);
  ops::Upload upload;
  for (const auto* values : {&rows.ids, &rows.positions}) upload.add(*values);
  for (const auto* values : {&rows.sequence, &rows.table}) upload.add(*values);
  const int64_t key = count * 64 + std::countr_zero(static_cast<uint64_t>(pages));
  auto& recorded = recorded_[key];
  const auto options = at::TensorOptions().device(model_.device());
  if (!recorded.memory.defined()) {
    recorded.memory = at::empty({upload.bytes()}, options.dtype(at::kByte));
    recorded.normed = at::empty({count, model_.config().hidden}, options.dtype(model_.compute_dtype()));
  }
  if (!logits_.defined()) logits_ = at::empty({logit_rows(vocab, max_rows_), vocab}, options.dtype(at::kFloat));
  upload.send(recorded.memory);
  graphs_->run(key, [&] {
    pass(rows, upload, recorded.buffers);
    model_.acquire_head(model::Pass::inference);
    ops::rms_norm_into(recorded.buffers.x, model_.final_norm(), model_.config().rms_epsilon, recorded.normed);
    auto logits = logits_.narrow(0, 0, count);
    ops_.logits_into(recorded.normed, model_.head(), logits);
    model_.release_head(model::Pass::inference);
  });
  hidden_ = &recorded.buffers.x;
  logits_ready_ = true;
}

at::Tensor DeviceStep::hidden(int64_t row) const {
  return hidden_->select(0, row).clone();
}

// [jobs, hidden]. `places`: of each job's state among those of prompts, one for each job of a prompt, and the rows.
at::Tensor DeviceStep::states_of(const std::vector<DrawJob>& jobs, const at::Tensor& places) const {
  std::vector<at::Tensor> prompts;
  for (const auto& job : jobs) {
    if (job.row < 0) prompts.push_back(job.sequence->prompt->last_hidden);
  }
  if (prompts.empty()) return hidden_->index_select(0, places);
  auto states = at::stack(prompts);
  if (prompts.size() < jobs.size()) states = at::cat({states, *hidden_});
  return states.index_select(0, places);
}

// Of states [begin, begin + rows); or of all of them, which the pass has left already.
at::Tensor DeviceStep::logits_of(const at::Tensor& states, at::Tensor& normed, int64_t begin, int64_t rows) {
  auto part = normed.narrow(0, begin, rows), logits = logits_.narrow(0, 0, rows);
  ops::rms_norm_into(states.narrow(0, begin, rows), model_.final_norm(), model_.config().rms_epsilon, part);
  ops_.logits_into(part, model_.head(), logits);
  return logits;
}

void DeviceStep::draw(std::vector<DrawJob>& jobs) {
  const auto n = static_cast<int64_t>(jobs.size());
  if (n == 0) return;
  const int64_t vocab = model_.config().vocab_size;
  const auto options = at::TensorOptions().device(model_.device());
  if (!logits_.defined()) logits_ = at::empty({logit_rows(vocab, max_rows_), vocab}, options.dtype(at::kFloat));
  const auto from_prompts = std::count_if(jobs.begin(), jobs.end(), [](const auto& job) { return job.row < 0; });
  std::vector<int64_t> places;
  std::vector<ops::SampleRequest> requests;
  places.reserve(jobs.size());
  requests.reserve(jobs.size());
  bool in_order = logits_ready_, want_entropy = false;
  int64_t prompt = 0;
  for (const auto& job : jobs) {
    const Sequence& s = *job.sequence;
    in_order = in_order && job.row == static_cast<int64_t>(places.size());
    want_entropy = want_entropy || s.request.want_entropy;
    places.push_back(job.row < 0 ? prompt++ : from_prompts + job.row);
    const auto index = static_cast<size_t>(job.index);
    requests.push_back({s.request.sampling, s.request.identity, static_cast<uint32_t>(job.index),
                        job.drawn ? -1 : s.completion.ids[index]});
  }
  const int64_t chunk = std::min(n, logits_.size(0));
  ops::Upload upload;
  const size_t first = upload.add(places);
  std::vector<std::pair<size_t, int64_t>> packed;  // place and bytes, chunk by chunk
  for (int64_t begin = 0; begin < n; begin += chunk) {
    const auto bytes =
        ops_.pack_requests(std::span(requests).subspan(static_cast<size_t>(begin), std::min(chunk, n - begin)));
    packed.emplace_back(upload.add(bytes), static_cast<int64_t>(bytes.nbytes()));
  }
  upload.send(model_.device());

  const auto results = ops::SampledRows::make(n, want_entropy, options);
  model_.acquire_head(model::Pass::inference);
  const auto states = in_order ? at::Tensor() : states_of(jobs, upload.get(first, {n}, at::kLong));
  auto normed = in_order ? at::Tensor() : at::empty_like(states);
  for (int64_t begin = 0; begin < n; begin += chunk) {
    const int64_t rows = std::min(chunk, n - begin);
    const auto [place, bytes] = packed[static_cast<size_t>(begin / chunk)];
    const auto logits = in_order ? logits_.narrow(0, begin, rows) : logits_of(states, normed, begin, rows);
    auto part = results.rows(begin, rows);
    ops_.sample(logits, upload.get(place, {bytes}, at::kByte), part);
  }
  model_.release_head(model::Pass::inference);

  const auto host = results.on_host();
  const int64_t* ids = host.ids.const_data_ptr<int64_t>();
  const float* logprobs = host.logprob.const_data_ptr<float>();
  const float* entropies = want_entropy ? host.entropy.const_data_ptr<float>() : nullptr;
  const uint8_t* finite = host.finite.const_data_ptr<uint8_t>();
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].token = {static_cast<int32_t>(ids[i]), logprobs[i], entropies == nullptr ? 0.0f : entropies[i],
                     finite[i] != 0};
  }
}

}  // namespace laconic::rollout

#include "laconic/core/ops/logprob_head.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

constexpr int64_t kRowUnit = 4;  // of the register tile
constexpr int64_t kBackwardRows =
    1024;  // rows of a chunk in the backward pass, where all columns are not needed at once

int64_t forward_rows(int64_t vocab, int64_t chunk_bytes) {
  const int64_t rows = chunk_bytes / (4 * vocab) / kRowUnit * kRowUnit;
  return std::max(kRowUnit, rows);
}

float inverse_of(double temperature) {
  LACONIC_CHECK(temperature > 0, "the temperature of logprobs must be above 0, found {}", temperature);
  return static_cast<float>(1.0 / temperature);
}

void score_rows(const at::Tensor& logits, const int64_t* targets, float inverse_temperature, bool want_entropy,
                int64_t first, float* logprob, HeadStatistics& s) {
  const int64_t vocab = logits.size(1);
  const float* data = logits.const_data_ptr<float>();
  float* largest = s.largest.mutable_data_ptr<float>() + first;
  float* log_sum = s.log_sum.mutable_data_ptr<float>() + first;
  float* entropy = want_entropy ? s.entropy.mutable_data_ptr<float>() + first : nullptr;
  parallel_tasks(logits.size(0), [&](int64_t i) {
    const float* row = data + i * vocab;
    const auto statistics = kernels().logit_statistics(row, vocab, inverse_temperature, want_entropy);
    largest[i] = statistics.largest;
    log_sum[i] = statistics.log_sum;
    if (want_entropy) entropy[i] = statistics.entropy;
    logprob[i] = row[targets[i]] * inverse_temperature - statistics.largest - statistics.log_sum;
  });
}

// On a device a chunk is worth its launches only when it is large.
constexpr int64_t kDeviceChunkBytes = int64_t{512} << 20;

int64_t device_rows(int64_t vocab, const HeadOptions& options) {
  return forward_rows(vocab, std::max(options.chunk_bytes, kDeviceChunkBytes));
}

HeadStatistics part_of(const HeadStatistics& s, int64_t begin, int64_t rows) {
  return {s.largest.narrow(0, begin, rows), s.log_sum.narrow(0, begin, rows),
          s.entropy.defined() ? s.entropy.narrow(0, begin, rows) : at::Tensor()};
}

void score_on_device(const DeviceOps& ops, const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                     const HeadOptions& options, at::Tensor& logprob, const HeadStatistics& s) {
  const int64_t n = hidden.size(0), vocab = head.size(0), step = std::min(n, device_rows(vocab, options));
  auto logits = at::empty({step, vocab}, logprob.options());
  for (int64_t begin = 0; begin < n; begin += step) {
    const int64_t rows = std::min(step, n - begin);
    auto chunk = logits.narrow(0, 0, rows), result = logprob.narrow(0, begin, rows);
    auto part = part_of(s, begin, rows);
    ops.logits_into(hidden.narrow(0, begin, rows), head, chunk);
    ops.score_logits(chunk, targets.narrow(0, begin, rows), options.temperature, result, part);
  }
}

at::Tensor backward_on_device(const DeviceOps& ops, const at::Tensor& g_logprob, const at::Tensor& g_entropy,
                              const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                              const HeadStatistics& s, const HeadOptions& options, at::Tensor* dhead) {
  const int64_t n = hidden.size(0), vocab = head.size(0), step = std::min(n, device_rows(vocab, options));
  auto dhidden = at::empty_like(hidden);
  auto logits = at::empty({step, vocab}, hidden.options().dtype(at::kFloat));
  for (int64_t begin = 0; begin < n; begin += step) {
    const int64_t rows = std::min(step, n - begin);
    const auto x = hidden.narrow(0, begin, rows);
    auto chunk = logits.narrow(0, 0, rows);
    ops.logits_into(x, head, chunk);
    ops.logit_gradient_(chunk, targets.narrow(0, begin, rows), options.temperature, part_of(s, begin, rows),
                        g_logprob.narrow(0, begin, rows),
                        g_entropy.defined() ? g_entropy.narrow(0, begin, rows) : at::Tensor());
    const auto gradient = chunk.to(hidden.scalar_type());
    dhidden.narrow(0, begin, rows).copy_(ops.linear_input_gradient(gradient, head));
    if (dhead != nullptr) ops.add_linear_weight_gradient(gradient, x, *dhead, nullptr);
  }
  return dhidden;
}

}  // namespace

at::Tensor score_targets(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                         const HeadOptions& options, bool want_entropy, HeadStatistics& statistics) {
  const at::NoGradGuard no_grad;
  const int64_t n = hidden.size(0), vocab = head.size(0);
  const float inverse = inverse_of(options.temperature);
  const auto f32 = hidden.options().dtype(at::kFloat).requires_grad(false);
  auto logprob = at::empty({n}, f32);
  statistics = {at::empty({n}, f32), at::empty({n}, f32), want_entropy ? at::empty({n}, f32) : at::Tensor()};
  if (n == 0) return logprob;
  if (const auto* ops = device_ops(hidden)) {
    score_on_device(*ops, hidden, head, targets, options, logprob, statistics);
    return logprob;
  }
  LACONIC_CHECK(targets.numel() == n && targets.is_contiguous(), "score_targets: expected {} targets", n);
  const int64_t* target = targets.const_data_ptr<int64_t>();
  LACONIC_CHECK(std::all_of(target, target + n, [&](int64_t t) { return t >= 0 && t < vocab; }),
                "score_targets: a target is outside of the vocabulary of {}", vocab);
  const int64_t step = std::min(n, forward_rows(vocab, options.chunk_bytes));
  auto logits = at::empty({step, vocab}, f32);
  for (int64_t begin = 0; begin < n; begin += step) {
    auto chunk = logits.narrow(0, 0, std::min(step, n - begin));
    linear_into(hidden.narrow(0, begin, chunk.size(0)), head, {}, chunk);
    score_rows(chunk, target + begin, inverse, want_entropy, begin, logprob.mutable_data_ptr<float>() + begin,
               statistics);
  }
  return logprob;
}

at::Tensor score_targets_backward(const at::Tensor& g_logprob, const at::Tensor& g_entropy, const at::Tensor& hidden,
                                  const at::Tensor& head, const at::Tensor& targets, const HeadStatistics& s,
                                  const HeadOptions& options, at::Tensor* dhead) {
  const at::NoGradGuard no_grad;
  const int64_t n = hidden.size(0), vocab = head.size(0);
  const float inverse = inverse_of(options.temperature);
  const auto gl = g_logprob.to(at::kFloat).contiguous();
  const auto ge = g_entropy.defined() ? g_entropy.to(at::kFloat).contiguous() : at::Tensor();
  if (const auto* ops = device_ops(hidden))
    return backward_on_device(*ops, gl, ge, hidden, head, targets, s, options, dhead);
  auto dhidden = at::zeros({n, hidden.size(1)}, hidden.options());
  const int64_t columns =
      std::max<int64_t>(256, options.chunk_bytes / (4 * std::max<int64_t>(1, std::min(n, kBackwardRows))) / 256 * 256);
  for (int64_t r0 = 0; r0 < n; r0 += kBackwardRows) {
    const int64_t rows = std::min(kBackwardRows, n - r0);
    const auto x = hidden.narrow(0, r0, rows);
    auto dx = dhidden.narrow(0, r0, rows);
    for (int64_t c0 = 0; c0 < vocab; c0 += columns) {
      const int64_t cols = std::min(columns, vocab - c0);
      const auto weights = head.detach().narrow(0, c0, cols);
      auto logits = ops::linear(x, weights, at::Tensor());
      float* data = logits.mutable_data_ptr<float>();
      parallel_tasks(rows, [&](int64_t i) {
        const int64_t row = r0 + i;
        LogitStatistics row_statistics;
        row_statistics.largest = s.largest.const_data_ptr<float>()[row];
        row_statistics.log_sum = s.log_sum.const_data_ptr<float>()[row];
        row_statistics.entropy = ge.defined() ? s.entropy.const_data_ptr<float>()[row] : 0.0f;
        kernels().logit_gradient(data + i * cols, cols, inverse, row_statistics,
                                 targets.const_data_ptr<int64_t>()[row] - c0, gl.const_data_ptr<float>()[row],
                                 ge.defined() ? ge.const_data_ptr<float>()[row] : 0.0f);
      });
      add_linear_input_gradient(logits, weights, dx);
      if (dhead == nullptr) continue;
      auto dweights = dhead->narrow(0, c0, cols);
      add_linear_weight_gradient(logits, x, dweights, nullptr);
    }
  }
  return dhidden;
}

}  // namespace laconic::ops

// Logprobs, their gradient, and sampling: tensors to kernels.
#include "laconic/cuda/kernels/kernels.h"
#include "laconic/cuda/plugin/tensor_ops.h"
#include "laconic/cuda/plugin/tensors.h"

namespace laconic::cuda {
namespace {

float inverse_of(const char* name, double temperature) {
  LACONIC_CHECK(temperature > 0, "{}: the temperature must be above 0, found {}", name, temperature);
  return static_cast<float>(1.0 / temperature);
}

void check_scores(const char* name, const at::Tensor& logits, const at::Tensor& targets, const LogitScores& s) {
  check_tensors(name, logits, {targets, s.logprob, s.largest, s.log_sum, s.entropy});
  const int64_t rows = logits.size(0);
  check_sizes(name, "targets", targets, {rows}, at::kLong);
  check_sizes(name, "largest", s.largest, {rows}, at::kFloat);
  check_sizes(name, "log_sum", s.log_sum, {rows}, at::kFloat);
  if (s.entropy.defined()) check_sizes(name, "entropy", s.entropy, {rows}, at::kFloat);
}

}  // namespace

void score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature, const LogitScores& scores) {
  constexpr const char* kName = "score_logits";
  check_scores(kName, logits, targets, scores);
  check_sizes(kName, "logprob", scores.logprob, {logits.size(0)}, at::kFloat);
  launch(LogitScoreArgs{.element = element_of(kName, logits),
                        .logits = logits.const_data_ptr(),
                        .targets = targets.const_data_ptr<int64_t>(),
                        .inverse_temperature = inverse_of(kName, temperature),
                        .logprob = scores.logprob.mutable_data_ptr<float>(),
                        .largest = scores.largest.mutable_data_ptr<float>(),
                        .log_sum = scores.log_sum.mutable_data_ptr<float>(),
                        .entropy = data_or_null<float>(scores.entropy),
                        .rows = logits.size(0),
                        .vocab = logits.size(1)},
         stream_of(logits));
}

void logit_gradient(const at::Tensor& logits, const at::Tensor& targets, double temperature, const LogitScores& scores,
                    const at::Tensor& g_logprob, const at::Tensor& g_entropy) {
  constexpr const char* kName = "logit_gradient";
  check_scores(kName, logits, targets, scores);
  check_tensors(kName, logits, {g_logprob, g_entropy});
  check_sizes(kName, "g_logprob", g_logprob, {logits.size(0)}, at::kFloat);
  LACONIC_CHECK(!g_entropy.defined() || scores.entropy.defined(), "{}: the entropies are missing", kName);
  if (g_entropy.defined()) check_sizes(kName, "g_entropy", g_entropy, {logits.size(0)}, at::kFloat);
  launch(LogitGradientArgs{.element = element_of(kName, logits),
                           .logits = logits.mutable_data_ptr(),
                           .targets = targets.const_data_ptr<int64_t>(),
                           .inverse_temperature = inverse_of(kName, temperature),
                           .largest = scores.largest.const_data_ptr<float>(),
                           .log_sum = scores.log_sum.const_data_ptr<float>(),
                           .entropy = data_or_null<float>(scores.entropy),
                           .g_logprob = g_logprob.const_data_ptr<float>(),
                           .g_entropy = data_or_null<float>(g_entropy),
                           .rows = logits.size(0),
                           .vocab = logits.size(1)},
         stream_of(logits));
}

void sample(const at::Tensor& logits, const SampleRows& rows, const SampledRows& result) {
  constexpr const char* kName = "sample";
  check_tensors(kName, logits,
                {rows.params, rows.positions, rows.given, result.ids, result.logprob, result.entropy, result.finite});
  const int64_t count = logits.size(0);
  check_sizes(kName, "params", rows.params, {count * static_cast<int64_t>(sizeof(SampleRow))}, at::kByte);
  check_sizes(kName, "positions", rows.positions, {count}, at::kInt);
  if (rows.given.defined()) check_sizes(kName, "given", rows.given, {count}, at::kLong);
  check_sizes(kName, "ids", result.ids, {count}, at::kLong);
  check_sizes(kName, "logprob", result.logprob, {count}, at::kFloat);
  if (result.entropy.defined()) check_sizes(kName, "entropy", result.entropy, {count}, at::kFloat);
  check_sizes(kName, "finite", result.finite, {count}, at::kByte);
  LACONIC_CHECK(logits.size(1) <= kMostSampledTokens, "{}: a vocabulary of {} is larger than {}", kName, logits.size(1),
                kMostSampledTokens);
  launch(SampleArgs{.element = element_of(kName, logits),
                    .logits = logits.const_data_ptr(),
                    .params = static_cast<const SampleRow*>(rows.params.const_data_ptr()),
                    .positions = reinterpret_cast<const uint32_t*>(rows.positions.const_data_ptr<int32_t>()),
                    .given = data_or_null<int64_t>(rows.given),
                    .ids = result.ids.mutable_data_ptr<int64_t>(),
                    .logprob = result.logprob.mutable_data_ptr<float>(),
                    .entropy = data_or_null<float>(result.entropy),
                    .finite = result.finite.mutable_data_ptr<uint8_t>(),
                    .rows = count,
                    .vocab = logits.size(1)},
         stream_of(logits));
}

}  // namespace laconic::cuda

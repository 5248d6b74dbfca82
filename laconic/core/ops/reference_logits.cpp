// Logits, their logprobs and gradients, and sampling in ATen operations.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/reference_ops.h"

namespace laconic::ops {
namespace {

// Columns of the packed requests, f64.
enum RequestColumn : uint8_t { uniform, inverse_temperature, top_k, top_p, min_p, given, request_columns };

// Below: counts as probability 0 in the entropy, as on the CPU.
constexpr double kLowestLogprob = -100.0;

at::Tensor entropy_of(const at::Tensor& log_p) {
  const auto counted = log_p.clamp_min(kLowestLogprob);
  return -(counted.exp() * counted).sum(-1);
}

// The tokens of each row, most probable first, and how many of them truncation keeps.
struct Truncated {
  at::Tensor order;    // [rows, vocab] int64
  at::Tensor weights;  // [rows, vocab] f64 in that order, 0 where dropped
};

Truncated truncate(const at::Tensor& logits, const at::Tensor& weights, const at::Tensor& request) {
  Truncated result;
  // Stable: equal ones by id.
  result.order = std::get<1>(at::sort(logits, /*stable=*/true, /*dim=*/-1, /*descending=*/true));
  const auto sorted = weights.gather(-1, result.order);
  const auto column = [&](RequestColumn c) { return request.select(1, c).unsqueeze(1); };
  const auto rank = at::arange(logits.size(1), request.options());
  const auto k = column(top_k);
  auto kept = sorted * rank.lt(k).logical_or(k.eq(0));
  // The fewest tokens that hold the share: one is kept as long as those before it hold less.
  const auto before = kept.cumsum(-1) - kept;
  const auto p = column(top_p);
  kept = kept * before.lt(p * kept.sum(-1, /*keepdim=*/true)).logical_or(p.ge(1.0)).logical_or(rank.eq(0));
  result.weights = kept * sorted.ge(column(min_p));
  return result;
}

// The first place of each row where the running sum exceeds u times the whole, among those with weight.
at::Tensor draw(const at::Tensor& weights, const at::Tensor& u) {
  const auto reached = weights.cumsum(-1);
  const auto wanted = u.unsqueeze(1) * reached.narrow(1, weights.size(1) - 1, 1);
  const auto hit = reached.gt(wanted).logical_and(weights.gt(0));
  return hit.to(at::kInt).argmax(-1, /*keepdim=*/true);
}

}  // namespace

void ReferenceOps::logits_into(const at::Tensor& hidden, const at::Tensor& head, at::Tensor& logits) const {
  const at::NoGradGuard no_grad;
  at::mm_out(logits, hidden.to(at::kFloat), head.detach().to(at::kFloat).t());
}

void ReferenceOps::score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                                at::Tensor& logprob, HeadStatistics& statistics) const {
  const at::NoGradGuard no_grad;
  const auto z = logits.to(at::kFloat) * (1.0 / temperature);
  const auto largest = z.amax(-1, /*keepdim=*/true);
  const auto log_sum = (z - largest).exp().sum(-1, /*keepdim=*/true).log();
  const auto log_p = z - largest - log_sum;
  statistics.largest.copy_(largest.squeeze(1));
  statistics.log_sum.copy_(log_sum.squeeze(1));
  logprob.copy_(log_p.gather(1, targets.unsqueeze(1)).squeeze(1));
  if (statistics.entropy.defined()) statistics.entropy.copy_(entropy_of(log_p));
}

void ReferenceOps::logit_gradient_(at::Tensor& logits, const at::Tensor& targets, double temperature,
                                   const HeadStatistics& statistics, const at::Tensor& g_logprob,
                                   const at::Tensor& g_entropy) const {
  const at::NoGradGuard no_grad;
  const auto shift = (statistics.largest + statistics.log_sum).unsqueeze(1);
  const auto log_p = (logits.to(at::kFloat) * (1.0 / temperature) - shift).clamp_min(kLowestLogprob);
  const auto p = log_p.exp();
  auto slope = -p * g_logprob.unsqueeze(1);
  if (g_entropy.defined()) slope -= p * (log_p + statistics.entropy.unsqueeze(1)) * g_entropy.unsqueeze(1);
  slope.scatter_add_(1, targets.unsqueeze(1), g_logprob.unsqueeze(1));
  logits.copy_(slope * (1.0 / temperature));
}

at::Tensor ReferenceOps::pack_requests(std::span<const SampleRequest> requests) const {
  const auto packed = at::empty({static_cast<int64_t>(requests.size()), request_columns}, at::kDouble);
  double* row = packed.mutable_data_ptr<double>();
  for (const auto& r : requests) {
    row[uniform] = uniform_draw(r.identity, DrawPurpose::sample_token, r.position);
    row[inverse_temperature] = r.params.temperature > 0 ? 1.0 / r.params.temperature : 0.0;
    row[top_k] = static_cast<double>(r.params.top_k);
    row[top_p] = r.params.top_p;
    row[min_p] = r.params.min_p;
    row[given] = r.given;
    row += request_columns;
  }
  return packed.view({-1}).view(at::kByte);
}

void ReferenceOps::sample(const at::Tensor& logits, const at::Tensor& packed, SampledRows& result) const {
  const at::NoGradGuard no_grad;
  const auto request = packed.view(at::kDouble).view({logits.size(0), request_columns});
  const auto column = [&](RequestColumn c) { return request.select(1, c); };
  const auto inverse = column(inverse_temperature);
  const auto greedy = inverse.eq(0);
  const auto z = logits.to(at::kFloat) * at::where(greedy, 1.0, inverse).to(at::kFloat).unsqueeze(1);
  const auto largest = z.amax(-1, /*keepdim=*/true);
  const auto finite = largest.isfinite().squeeze(1).logical_and(z.isnan().any(-1).logical_not());
  const auto down = at::where(finite.unsqueeze(1), z - largest, at::zeros_like(z));
  const auto weights = down.exp().to(at::kDouble);
  const auto log_sum = weights.sum(-1).log();

  const auto truncated = truncate(logits, weights, request);
  const auto truncates = column(top_k).gt(0).logical_or(column(top_p).lt(1.0)).logical_or(column(min_p).gt(0));
  const auto cuts = truncates.logical_and(greedy.logical_not());
  const auto best = logits.argmax(-1, /*keepdim=*/true);
  const auto free = draw(weights, column(uniform));
  const auto kept = truncated.order.gather(-1, draw(truncated.weights, column(uniform)));
  auto ids = at::where(greedy.unsqueeze(1), best, at::where(cuts.unsqueeze(1), kept, free));
  const auto wanted = column(given).to(at::kLong).unsqueeze(1);
  ids = at::where(wanted.ge(0), wanted, ids);

  const auto weight_of_place = at::zeros_like(weights).scatter(-1, truncated.order, truncated.weights);
  const auto dropped = cuts.logical_and(weight_of_place.gather(-1, ids).squeeze(1).eq(0));
  const auto sum = at::where(cuts, truncated.weights.sum(-1).log(), log_sum);
  const auto logprob = down.gather(-1, ids).squeeze(1).to(at::kDouble) - sum;
  result.ids.copy_(at::where(finite, ids.squeeze(1), at::zeros_like(result.ids)));
  result.logprob.copy_(logprob.masked_fill(dropped, -std::numeric_limits<double>::infinity()));
  result.finite.copy_(finite);
  if (result.entropy.defined()) result.entropy.copy_(entropy_of(down.to(at::kDouble) - log_sum.unsqueeze(1)));
}

}  // namespace laconic::ops

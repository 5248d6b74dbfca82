#include "laconic/core/policy/policy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/logprob_head.h"
#include "laconic/core/ops/norm.h"

namespace laconic::policy {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Final norm and head for the rows that predict scored tokens.
struct HeadInput {
  const model::Model* model = nullptr;
  at::Tensor final_norm, head;  // parameters
  at::Tensor rows, targets;     // [n] int64
  double norm_epsilon = 0;
  ops::HeadOptions options;
  bool want_entropy = false;
};

struct HeadRecord : torch::CustomClassHolder {
  HeadInput input;
  at::Tensor selected;     // [n, hidden] before the norm
  at::Tensor inverse_rms;  // [n]
  ops::HeadStatistics statistics;
  int64_t tokens = 0;
};

at::Tensor normed(const HeadRecord& record, at::Tensor* inverse_rms) {
  auto y = at::empty_like(record.selected);
  ops::rms_norm_into(record.selected, record.input.final_norm, record.input.norm_epsilon, y, inverse_rms);
  return y;
}

TokenStatistics forward(HeadRecord& record, const at::Tensor& hidden) {
  record.tokens = hidden.size(0);
  record.selected = hidden.detach().index_select(0, record.input.rows);
  record.inverse_rms = at::empty({record.selected.size(0)}, record.selected.options().dtype(at::kFloat));
  const auto states = normed(record, &record.inverse_rms);
  TokenStatistics result;
  result.logprob = ops::score_targets(states, record.input.head, record.input.targets, record.input.options,
                                      record.input.want_entropy, record.statistics);
  if (record.input.want_entropy) result.entropy = record.statistics.entropy.clone();
  return result;
}

struct HeadFunction : torch::autograd::Function<HeadFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden,
                               const c10::intrusive_ptr<HeadRecord>& record) {
    ctx->saved_data["record"] = c10::IValue::make_capsule(record);
    ctx->set_materialize_grads(false);  // entropies that no loss uses cost nothing in the backward pass
    const auto result = policy::forward(*record, hidden);
    if (record->input.want_entropy) return {result.logprob, result.entropy};
    return {result.logprob};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto record = c10::static_intrusive_pointer_cast<HeadRecord>(ctx->saved_data["record"].toCapsule());
    const at::NoGradGuard no_grad;
    LACONIC_CHECK(record->selected.defined(), "the backward pass of the head runs only once");
    const auto& input = record->input;
    input.model->acquire_head(model::Pass::backward);
    const auto g_logprob = gradients[0].defined() ? gradients[0] : at::zeros_like(record->inverse_rms);
    const auto g_entropy = gradients.size() > 1 ? gradients[1] : at::Tensor();
    const auto states = normed(*record, nullptr);
    const auto dstates = ops::score_targets_backward(g_logprob, g_entropy, states, input.head, input.targets,
                                                     record->statistics, input.options, &ops::gradient_of(input.head));
    auto dselected = at::empty_like(record->selected);
    ops::rms_norm_backward(dstates, record->selected, input.final_norm, record->inverse_rms, dselected, /*add=*/false,
                           ops::gradient_of(input.final_norm));
    input.model->release_head(model::Pass::backward);
    auto dhidden = at::zeros({record->tokens, record->selected.size(1)}, record->selected.options());
    dhidden.index_copy_(0, input.rows, dselected);
    record->selected.reset();
    return {dhidden, at::Tensor()};
  }
};

}  // namespace

TokenStatistics score(const model::Model& model, const PackedBatch& batch, double temperature, bool want_entropy,
                      const PolicyOptions& options) {
  const auto hidden = model.hidden_states(batch.ids, batch.positions, batch.offsets, {options.recompute});
  auto record = c10::make_intrusive<HeadRecord>();
  record->input = {&model,
                   model.final_norm(),
                   model.head(),
                   batch.rows,
                   batch.targets,
                   model.config().rms_epsilon,
                   {temperature, options.head_chunk_bytes},
                   want_entropy};
  const auto pass = hidden.requires_grad() ? model::Pass::forward : model::Pass::inference;
  model.acquire_head(pass);
  if (pass == model::Pass::inference) {
    const at::NoGradGuard no_grad;
    auto result = forward(*record, hidden);
    model.release_head(pass);
    return result;
  }
  const auto outputs = HeadFunction::apply(hidden, record);
  model.release_head(pass);
  return {outputs[0], want_entropy ? outputs[1] : at::Tensor()};
}

}  // namespace laconic::policy

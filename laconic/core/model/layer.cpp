#include "laconic/core/model/layer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/attention.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"
#include "laconic/core/ops/swiglu.h"

namespace laconic::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What the backward pass reads; everything else is computed again.
struct Saved {
  at::Tensor x;            // [rows, hidden]
  at::Tensor inverse_rms;  // [rows] of the input norm
  at::Tensor qkv;          // after rotation; before it where the layer has q/k norms
  at::Tensor attention;    // [rows, heads * head_dim]
  at::Tensor log_sum;      // [rows, heads]
  at::Tensor h;            // [rows, hidden]
  at::Tensor post_inverse_rms;
  at::Tensor gate_up;
};

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor* inverse_rms) {
  auto y = at::empty_like(x);
  if (inverse_rms != nullptr) *inverse_rms = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
  ops::rms_norm_into(x, weight, epsilon, y, inverse_rms);
  return y;
}

at::Tensor packed_attention(const at::Tensor& qkv, const LayerContext& context, at::Tensor* log_sum) {
  auto out = at::empty({qkv.size(0), context.shape.out_width()}, qkv.options());
  if (log_sum != nullptr) *log_sum = at::empty({qkv.size(0), context.shape.heads}, qkv.options().dtype(at::kFloat));
  ops::packed_attention_into(qkv, context.sequences(), context.shape, out, log_sum);
  return out;
}

// The forward pass that keeps what the backward pass needs; `output` false: only up to gate_up (recomputation).
at::Tensor forward_saving(const LayerWeights& w, const LayerContext& c, const at::Tensor& x, Saved& s, bool output) {
  s.x = x;
  at::Tensor normed = rms_norm(x, w.input_norm, c.norm_epsilon, &s.inverse_rms);
  s.qkv = ops::linear(normed, w.qkv, w.qkv_bias);
  at::Tensor rotated = w.q_norm.defined() ? at::empty_like(s.qkv) : s.qkv;
  ops::rotate_into(s.qkv, c.shape, c.rotation(w), rotated);
  s.attention = packed_attention(rotated, c, &s.log_sum);
  rotated.reset();
  s.h = x.clone();
  ops::linear_into(s.attention, w.output, w.output_bias, s.h, /*add=*/true);
  normed = rms_norm(s.h, w.post_norm, c.norm_epsilon, &s.post_inverse_rms);
  s.gate_up = ops::linear(normed, w.gate_up, w.gate_up_bias);
  if (!output) return {};
  auto activation = at::empty({x.size(0), w.down.size(1)}, x.options());
  ops::swiglu_into(s.gate_up, activation);
  auto y = s.h.clone();
  ops::linear_into(activation, w.down, w.down_bias, y, /*add=*/true);
  return y;
}

void add_weight_gradient(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  at::Tensor* dbias = bias.defined() ? &ops::gradient_of(bias) : nullptr;
  ops::add_linear_weight_gradient(dy, x, ops::gradient_of(weight), dbias);
}

// dy -> dh, through y = h + down(swiglu(gate_up(norm(h)))). Consumes gate_up.
at::Tensor mlp_backward(const LayerWeights& w, const LayerContext& c, Saved& s, const at::Tensor& dy) {
  auto gradient = ops::linear_input_gradient(dy, w.down);
  const auto activation = ops::swiglu_backward_(gradient, s.gate_up);
  add_weight_gradient(dy, activation, w.down, w.down_bias);
  const auto dgate_up = std::exchange(s.gate_up, at::Tensor());
  add_weight_gradient(dgate_up, rms_norm(s.h, w.post_norm, c.norm_epsilon, nullptr), w.gate_up, w.gate_up_bias);
  gradient = ops::linear_input_gradient(dgate_up, w.gate_up);
  auto dh = dy.clone(at::MemoryFormat::Contiguous);
  ops::rms_norm_backward(gradient, s.h, w.post_norm, s.post_inverse_rms, dh, /*add=*/true,
                         ops::gradient_of(w.post_norm));
  return dh;
}

// dh becomes dx, through h = x + output(attention(qkv(norm(x)))). Consumes the attention's tensors.
void attention_backward_(const LayerWeights& w, const LayerContext& c, Saved& s, at::Tensor& dh) {
  add_weight_gradient(dh, s.attention, w.output, w.output_bias);
  const bool norms = w.q_norm.defined();
  at::Tensor rotated = s.qkv;
  if (norms) {
    rotated = at::empty_like(s.qkv);
    ops::rotate_into(s.qkv, c.shape, c.rotation(w), rotated);
  }
  auto dqkv = at::empty_like(s.qkv);
  ops::packed_attention_backward(ops::linear_input_gradient(dh, w.output), rotated, s.attention, s.log_sum,
                                 c.sequences(), c.shape, dqkv);
  rotated.reset();
  ops::rotate_backward_(dqkv, s.qkv, c.shape, c.rotation(w), norms ? &ops::gradient_of(w.q_norm) : nullptr,
                        norms ? &ops::gradient_of(w.k_norm) : nullptr);
  s.qkv.reset();
  s.attention.reset();
  add_weight_gradient(dqkv, rms_norm(s.x, w.input_norm, c.norm_epsilon, nullptr), w.qkv, w.qkv_bias);
  ops::rms_norm_backward(ops::linear_input_gradient(dqkv, w.qkv), s.x, w.input_norm, s.inverse_rms, dh, /*add=*/true,
                         ops::gradient_of(w.input_norm));
}

// Travels from forward to backward; intrusive because autograd's context holds it as an IValue.
struct LayerRecord : torch::CustomClassHolder {
  const LayerWeights* weights = nullptr;
  std::shared_ptr<const LayerContext>
      context;  // shared by the layers of a pass, whose order of destruction is autograd's
  Saved saved;
  bool recompute = false;
};

struct LayerFunction : torch::autograd::Function<LayerFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const c10::intrusive_ptr<LayerRecord>& record) {
    ctx->saved_data["record"] = c10::IValue::make_capsule(record);
    Saved saved;
    auto y = forward_saving(*record->weights, *record->context, x, saved, /*output=*/true);
    if (record->recompute) {
      record->saved.x = x;
    } else {
      record->saved = std::move(saved);
    }
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto record = c10::static_intrusive_pointer_cast<LayerRecord>(ctx->saved_data["record"].toCapsule());
    const at::NoGradGuard no_grad;
    auto& saved = record->saved;
    const auto& weights = *record->weights;
    const auto& context = *record->context;
    LACONIC_CHECK(saved.x.defined(), "the backward pass of a layer runs only once");
    if (context.use != nullptr) context.use->acquire(weights.unit, Pass::backward);
    if (record->recompute) forward_saving(weights, context, at::Tensor(saved.x), saved, /*output=*/false);
    auto dx = mlp_backward(weights, context, saved, gradients[0].contiguous());
    attention_backward_(weights, context, saved, dx);
    saved = {};
    if (context.use != nullptr) context.use->release(weights.unit, Pass::backward);
    return {dx, at::Tensor()};
  }
};

}  // namespace

ops::Rotation LayerContext::rotation(const LayerWeights& weights) const {
  return {positions, rope, weights.q_norm, weights.k_norm, norm_epsilon};
}

void LayerBuffers::resize(const LayerWeights& weights, const ops::HeadShape& shape, int64_t rows,
                          const at::TensorOptions& options) {
  if (normed.defined() && normed.size(0) == rows) return;
  normed = at::empty({rows, weights.qkv.size(1)}, options);
  qkv = at::empty({rows, shape.qkv_width()}, options);
  attention = at::empty({rows, shape.out_width()}, options);
  gate_up = at::empty({rows, weights.gate_up.size(0)}, options);
  activation = at::empty({rows, weights.down.size(1)}, options);
}

void layer_forward_(const LayerWeights& w, const LayerContext& c, const Attend& attend, at::Tensor& x,
                    LayerBuffers& b) {
  b.resize(w, c.shape, x.size(0), x.options());
  ops::rms_norm_into(x, w.input_norm, c.norm_epsilon, b.normed);
  ops::linear_into(b.normed, w.qkv, w.qkv_bias, b.qkv);
  attend(b.qkv, c.rotation(w), b.attention);
  ops::linear_into(b.attention, w.output, w.output_bias, x, /*add=*/true);
  ops::rms_norm_into(x, w.post_norm, c.norm_epsilon, b.normed);
  ops::linear_into(b.normed, w.gate_up, w.gate_up_bias, b.gate_up);
  ops::swiglu_into(b.gate_up, b.activation);
  ops::linear_into(b.activation, w.down, w.down_bias, x, /*add=*/true);
}

at::Tensor layer_forward(const LayerWeights& weights, std::shared_ptr<const LayerContext> context, const at::Tensor& x,
                         bool recompute) {
  auto record = c10::make_intrusive<LayerRecord>();
  record->weights = &weights;
  record->context = std::move(context);
  record->recompute = recompute;
  return LayerFunction::apply(x, record);
}

}  // namespace laconic::model

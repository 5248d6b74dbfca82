// Linear layers, norms, activations and rotations in ATen operations.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/reference_ops.h"

namespace laconic::ops {
namespace {

at::Tensor f32(const at::Tensor& t) {
  return t.detach().to(at::kFloat);
}

// x [.., width] -> 1 / rms, [.., 1]
at::Tensor inverse_rms_of(const at::Tensor& x, double epsilon) {
  return (f32(x).square().mean(-1, /*keepdim=*/true) + epsilon).rsqrt();
}

struct NormGradient {
  at::Tensor dx, dweight;  // f32
};

// Of y = x * inverse * weight over the last dimension; dweight is summed over the others.
NormGradient norm_gradient(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                           const at::Tensor& inverse) {
  const auto u = dy * weight, normed = x * inverse;
  const auto dx = inverse * (u - normed * (u * normed).mean(-1, /*keepdim=*/true));
  return {dx, (dy * normed).reshape({-1, x.size(-1)}).sum(0)};
}

// The heads of a row that are rotated, and their norm.
struct HeadRange {
  int64_t begin, count;
  const at::Tensor* norm;
  at::Tensor* dnorm;
};

std::array<HeadRange, 2> rotated_ranges(const HeadShape& s, const Rotation& r, at::Tensor* dq, at::Tensor* dk) {
  return {{{0, s.heads, &r.q_norm, dq}, {s.heads, s.kv_heads, &r.k_norm, dk}}};
}

// heads [rows, heads, head_dim] f32; cosine and sine [rows, 1, head_dim / 2]
at::Tensor rotated(const at::Tensor& heads, const at::Tensor& cosine, const at::Tensor& sine) {
  const auto halves = heads.chunk(2, -1);
  return at::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

std::vector<at::Tensor> angles_of(const Rotation& r) {
  return r.table.index_select(0, r.positions).unsqueeze(1).chunk(2, -1);
}

}  // namespace

void ReferenceOps::linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y,
                          bool add) const {
  const at::NoGradGuard no_grad;
  if (add && bias.defined()) y.add_(bias);
  if (add) {
    at::addmm_out(y, y, x, w.detach().t());
  } else if (bias.defined()) {
    at::addmm_out(y, bias.detach(), x, w.detach().t());
  } else {
    at::mm_out(y, x, w.detach().t());
  }
}

at::Tensor ReferenceOps::linear_input_gradient(const at::Tensor& dy, const at::Tensor& w) const {
  const at::NoGradGuard no_grad;
  return at::mm(dy, w.detach());
}

void ReferenceOps::add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw,
                                              at::Tensor* dbias) const {
  const at::NoGradGuard no_grad;
  if (dbias != nullptr) dbias->add_(f32(dy).sum(0));
  dw.addmm_(f32(dy).t(), f32(x));
}

void ReferenceOps::rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                            at::Tensor* inverse_rms) const {
  const at::NoGradGuard no_grad;
  const auto inverse = inverse_rms_of(x, epsilon);
  if (inverse_rms != nullptr) inverse_rms->copy_(inverse.squeeze(-1));
  y.copy_(f32(x) * inverse * f32(weight));
}

void ReferenceOps::rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                     const at::Tensor& inverse_rms, at::Tensor& dx, bool add,
                                     at::Tensor& dweight) const {
  const at::NoGradGuard no_grad;
  const auto gradient = norm_gradient(f32(dy), f32(x), f32(weight), inverse_rms.unsqueeze(-1));
  dx.copy_(add ? f32(dx) + gradient.dx : gradient.dx);
  dweight.add_(gradient.dweight);
}

void ReferenceOps::swiglu(const at::Tensor& gate_up, at::Tensor& out) const {
  const at::NoGradGuard no_grad;
  const auto halves = f32(gate_up).chunk(2, 1);
  out.copy_(at::silu(halves[0]) * halves[1]);
}

at::Tensor ReferenceOps::swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) const {
  const at::NoGradGuard no_grad;
  const auto halves = f32(gate_up).chunk(2, 1);
  const auto &gate = halves[0], &up = halves[1];
  const auto d = f32(dout), s = at::sigmoid(gate);
  auto activation = (gate * s * up).to(dout.scalar_type());
  const auto gradient = at::cat({d * up * s * (1 + gate * (1 - s)), d * gate * s}, 1);
  gate_up.copy_(gradient);
  return activation;
}

void ReferenceOps::rotate(const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation,
                          at::Tensor& out) const {
  const at::NoGradGuard no_grad;
  const auto angles = angles_of(rotation);
  const auto in = qkv.view({qkv.size(0), -1, shape.head_dim});
  const auto result = out.view({qkv.size(0), -1, shape.head_dim});
  for (const auto& range : rotated_ranges(shape, rotation, nullptr, nullptr)) {
    auto heads = f32(in.narrow(1, range.begin, range.count));
    if (range.norm->defined()) heads = heads * inverse_rms_of(heads, rotation.norm_epsilon) * f32(*range.norm);
    result.narrow(1, range.begin, range.count).copy_(rotated(heads, angles[0], angles[1]));
  }
  const int64_t values = shape.heads + shape.kv_heads;
  if (!out.is_same(qkv)) result.narrow(1, values, shape.kv_heads).copy_(in.narrow(1, values, shape.kv_heads));
}

void ReferenceOps::rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const HeadShape& shape,
                                    const Rotation& rotation, at::Tensor* dq_norm, at::Tensor* dk_norm) const {
  const at::NoGradGuard no_grad;
  const auto angles = angles_of(rotation);
  const auto gradient = dqkv.view({dqkv.size(0), -1, shape.head_dim});
  for (const auto& range : rotated_ranges(shape, rotation, dq_norm, dk_norm)) {
    const auto target = gradient.narrow(1, range.begin, range.count);
    auto d = rotated(f32(target), angles[0], -angles[1]);
    if (range.norm->defined()) {
      const auto x = f32(qkv.view(gradient.sizes()).narrow(1, range.begin, range.count));
      const auto norm = norm_gradient(d, x, f32(*range.norm), inverse_rms_of(x, rotation.norm_epsilon));
      range.dnorm->add_(norm.dweight);
      d = norm.dx;
    }
    target.copy_(d);
  }
}

}  // namespace laconic::ops

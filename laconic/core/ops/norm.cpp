#include "laconic/core/ops/norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

constexpr int64_t kRowsPiece = 128;  // fixed, so that the thread count changes no gradient

}  // namespace

void rms_norm_into(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                   at::Tensor* inverse_rms) {
  const at::NoGradGuard no_grad;
  if (const auto* ops = device_ops(x)) return ops->rms_norm(x, weight, epsilon, y, inverse_rms);
  const at::Tensor w = weight.detach().to(at::kFloat).contiguous();
  LACONIC_CHECK(x.dim() == 2 && x.stride(1) == 1 && y.sizes() == x.sizes() && w.numel() == x.size(1),
                "rms_norm: x [rows, width] and weight [width] do not fit");
  NormArgs args;
  args.x = x.const_data_ptr<float>();
  args.ldx = x.stride(0);
  args.weight = w.const_data_ptr<float>();
  args.epsilon = static_cast<float>(epsilon);
  args.y = y.mutable_data_ptr<float>();
  args.ldy = y.stride(0);
  args.inverse_rms = inverse_rms != nullptr ? inverse_rms->mutable_data_ptr<float>() : nullptr;
  args.width = x.size(1);
  parallel_pieces(x.size(0), kRowsPiece, [&](int64_t begin, int64_t end) {
    NormArgs part = args;
    part.x += begin * args.ldx;
    part.y += begin * args.ldy;
    if (part.inverse_rms != nullptr) part.inverse_rms += begin;
    part.rows = end - begin;
    kernels().rms_norm(part);
  });
}

void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& inverse_rms, at::Tensor& dx, bool add, at::Tensor& dweight) {
  const at::NoGradGuard no_grad;
  if (const auto* ops = device_ops(x)) return ops->rms_norm_backward(dy, x, weight, inverse_rms, dx, add, dweight);
  LACONIC_CHECK(dy.is_contiguous() && x.is_contiguous() && dx.is_contiguous() && dy.sizes() == x.sizes(),
                "rms_norm_backward: dy, x and dx must be contiguous and of one shape");
  const at::Tensor w = weight.detach().to(at::kFloat).contiguous();
  const int64_t rows = x.size(0), width = x.size(1), pieces = (rows + kRowsPiece - 1) / kRowsPiece;
  const auto partial = at::zeros({pieces, width}, dweight.options());
  NormBackwardArgs args;
  args.dy = dy.const_data_ptr<float>();
  args.x = x.const_data_ptr<float>();
  args.weight = w.const_data_ptr<float>();
  args.inverse_rms = inverse_rms.const_data_ptr<float>();
  args.dx = dx.mutable_data_ptr<float>();
  args.dweight = partial.mutable_data_ptr<float>();
  args.width = width;
  args.add = add;
  parallel_pieces(rows, kRowsPiece, [&](int64_t begin, int64_t end) {
    NormBackwardArgs part = args;
    part.dy += begin * width;
    part.x += begin * width;
    part.dx += begin * width;
    part.inverse_rms += begin;
    part.dweight += begin / kRowsPiece * width;
    part.rows = end - begin;
    kernels().rms_norm_backward(part);
  });
  for (int64_t piece = 0; piece < pieces; ++piece) dweight.add_(partial.select(0, piece));
}

}  // namespace laconic::ops

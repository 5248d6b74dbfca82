#include "laconic/core/ops/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

constexpr int64_t kManyRows = 128;       // from here on rows are dealt to threads, below columns are
constexpr int64_t kGradientPiece = 256;  // fixed, so that the thread count changes no gradient
constexpr double kWorthAThread = 400e3;  // multiply-adds; less is done by the calling thread

// Columns of weights in pieces, a multiple of every register tile.
constexpr int64_t kColumnUnit = 24;

void check_matrix(const at::Tensor& t, int64_t rows, int64_t cols, const char* name) {
  LACONIC_CHECK(t.dim() == 2 && t.size(0) == rows && t.size(1) == cols && t.stride(1) == 1, "{}: expected [{}, {}]",
                name, rows, cols);
}

void linear_cpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y, bool add) {
  LACONIC_CHECK(x.scalar_type() == at::kFloat && y.scalar_type() == at::kFloat, "linear: x and y must be f32");
  LACONIC_CHECK(w.is_contiguous() && (w.scalar_type() == at::kFloat || w.scalar_type() == at::kBFloat16),
                "linear: weights must be contiguous f32 or bf16");
  LACONIC_CHECK(!bias.defined() || (bias.dim() == 1 && bias.numel() == w.size(0)), "linear: bias: expected [{}]",
                w.size(0));
  const at::Tensor bias_f32 = bias.defined() ? bias.to(at::kFloat).contiguous() : bias;
  LinearArgs args;
  args.x = x.const_data_ptr<float>();
  args.ldx = x.stride(0);
  args.w = w.const_data_ptr();
  args.w_bf16 = w.scalar_type() == at::kBFloat16;
  args.bias = bias.defined() ? bias_f32.const_data_ptr<float>() : nullptr;
  args.y = y.mutable_data_ptr<float>();
  args.ldy = y.stride(0);
  args.m = x.size(0);
  args.n = w.size(0);
  args.k = w.size(1);
  args.add = add;
  const auto& run = kernels().linear;
  const double work = static_cast<double>(args.m) * static_cast<double>(args.n) * static_cast<double>(args.k);
  const int64_t pieces = std::min<int64_t>(2 * threads(), static_cast<int64_t>(work / kWorthAThread));
  if (threads() == 1 || pieces < 2) {
    run(args);
  } else if (args.m >= kManyRows) {
    const int64_t rows = std::clamp<int64_t>(args.m / (4 * threads()) / 4 * 4, 32, 256);
    parallel_pieces(args.m, rows, [&](int64_t begin, int64_t end) {
      LinearArgs part = args;
      part.x += begin * args.ldx;
      part.y += begin * args.ldy;
      part.m = end - begin;
      run(part);
    });
  } else {
    const int64_t columns = (args.n / pieces / kColumnUnit + 1) * kColumnUnit;
    parallel_pieces(args.n, columns, [&](int64_t begin, int64_t end) {
      LinearArgs part = args;
      part.w = static_cast<const char*>(args.w) + begin * args.k * static_cast<int64_t>(w.element_size());
      part.y += begin;
      if (args.bias != nullptr) part.bias += begin;
      part.n = end - begin;
      run(part);
    });
  }
}

}  // namespace

void linear_into(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y, bool add) {
  const at::NoGradGuard no_grad;
  check_matrix(x, x.size(0), w.size(1), "linear: x");
  check_matrix(y, x.size(0), w.size(0), "linear: y");
  if (const auto* ops = device_ops(x)) return ops->linear(x, w, bias, y, add);
  linear_cpu(x, w, bias, y, add);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  auto y = at::empty({x.size(0), w.size(0)}, x.options());
  linear_into(x, w, bias, y);
  return y;
}

at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& w) {
  if (const auto* ops = device_ops(dy)) return ops->linear_input_gradient(dy, w);
  auto dx = at::zeros({dy.size(0), w.size(1)}, dy.options());
  add_linear_input_gradient(dy, w, dx);
  return dx;
}

void add_linear_input_gradient(const at::Tensor& dy, const at::Tensor& w, at::Tensor& dx) {
  const at::NoGradGuard no_grad;
  LACONIC_CHECK(dy.is_cpu(), "add_linear_input_gradient: a CPU tensor is expected");
  const auto weights = w.scalar_type() == dy.scalar_type() ? w.detach() : w.detach().to(dy.scalar_type());
  parallel_pieces(dy.size(0), kGradientPiece, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad_here;
    dx.narrow(0, begin, end - begin).addmm_(dy.narrow(0, begin, end - begin), weights);
  });
}

void add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw, at::Tensor* dbias) {
  const at::NoGradGuard no_grad;
  if (const auto* ops = device_ops(dy)) return ops->add_linear_weight_gradient(dy, x, dw, dbias);
  if (dbias != nullptr) dbias->add_(dy.sum(0));
  parallel_pieces(dw.size(0), kGradientPiece, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad_here;
    dw.narrow(0, begin, end - begin).addmm_(dy.narrow(1, begin, end - begin).t(), x);
  });
}

at::Tensor& gradient_of(const at::Tensor& parameter) {
  auto& gradient = parameter.mutable_grad();
  if (!gradient.defined())
    gradient = at::zeros_like(parameter, parameter.options().dtype(at::kFloat).requires_grad(false));
  return gradient;
}

}  // namespace laconic::ops

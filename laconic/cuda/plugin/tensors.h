// What the unpacking of tensors for kernels shares. With LACONIC_EMULATED_GPU, for the tests, the device is the
// emulated one, whose memory is the CPU's.
#pragma once

#include <ATen/core/Tensor.h>
#ifndef LACONIC_EMULATED_GPU
#include <c10/cuda/CUDAStream.h>
#endif

#include <cstdint>
#include <initializer_list>

#include "laconic/core/base/error.h"
#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/portable.h"

namespace laconic::cuda {

#ifdef LACONIC_EMULATED_GPU
inline bool on_gpu(const at::Tensor& t) {
  return t.is_cpu();
}
inline Stream stream_of(const at::Tensor& /*t*/) {
  return nullptr;
}
#else
inline bool on_gpu(const at::Tensor& t) {
  return t.is_cuda();
}
inline Stream stream_of(const at::Tensor& t) {
  return c10::cuda::getCurrentCUDAStream(t.device().index()).stream();
}
#endif

// f32 or bf16.
inline Element element_of(const char* name, const at::Tensor& t) {
  LACONIC_CHECK(t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16, "{}: f32 or bf16 expected", name);
  return t.scalar_type() == at::kBFloat16 ? Element::bf16 : Element::f32;
}

// Contiguous, on the device of `first`; undefined tensors pass.
inline void check_tensors(const char* name, const at::Tensor& first, std::initializer_list<at::Tensor> others) {
  LACONIC_CHECK(on_gpu(first) && first.is_contiguous(), "{}: contiguous CUDA tensors expected", name);
  for (const auto& t : others) {
    LACONIC_CHECK(!t.defined() || (t.device() == first.device() && t.is_contiguous()),
                  "{}: contiguous tensors on {} expected", name, first.device().str());
  }
}

inline void check_sizes(const char* name, const char* what, const at::Tensor& t, at::IntArrayRef sizes,
                        at::ScalarType type) {
  LACONIC_CHECK(t.sizes() == sizes && t.scalar_type() == type, "{}: {} has another shape or type than the rows", name,
                what);
}

template <typename T>
T* data_or_null(const at::Tensor& t) {
  return t.defined() ? t.mutable_data_ptr<T>() : nullptr;
}

}  // namespace laconic::cuda

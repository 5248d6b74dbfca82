#include "laconic/core/distributed/flat_unit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::distributed {
namespace {

// "model.layers.12" of "model.layers.12.mlp.down_proj.weight"; "" for what belongs to no layer.
std::string layer_of(const std::string& name) {
  constexpr std::string_view kLayers = "model.layers.";
  if (!name.starts_with(kLayers)) return "";
  return name.substr(0, name.find('.', kLayers.size()));
}

}  // namespace

FlatUnit::FlatUnit(std::vector<int64_t> sizes, int ranks) : sizes_(std::move(sizes)), ranks_(ranks) {
  const int64_t total = std::accumulate(sizes_.begin(), sizes_.end(), int64_t{0});
  shard_ = (total + ranks_ - 1) / ranks_;
}

std::vector<FlatUnit::Piece> FlatUnit::pieces(int rank) const {
  const int64_t first = shard_ * rank, last = first + shard_;
  std::vector<Piece> result;
  int64_t at = 0;
  for (size_t i = 0; i < sizes_.size(); at += sizes_[i++]) {
    const int64_t begin = std::max(first, at), end = std::min(last, at + sizes_[i]);
    if (begin < end) result.push_back({i, begin - at, begin - first, end - begin});
  }
  return result;
}

at::Tensor FlatUnit::pack(const std::vector<at::Tensor>& tensors, at::ScalarType type) const {
  const at::NoGradGuard no_grad;
  auto buffer = at::zeros({padded()}, type);
  int64_t at = 0;
  for (size_t i = 0; i < sizes_.size(); at += sizes_[i++]) {
    if (tensors[i].defined()) buffer.narrow(0, at, sizes_[i]).copy_(tensors[i].reshape({-1}));
  }
  return buffer;
}

void FlatUnit::unpack(const at::Tensor& buffer, const std::vector<at::Tensor>& tensors) const {
  const at::NoGradGuard no_grad;
  int64_t at = 0;
  for (size_t i = 0; i < sizes_.size(); at += sizes_[i++])
    tensors[i].copy_(buffer.narrow(0, at, sizes_[i]).view(tensors[i].sizes()));
}

std::vector<std::vector<size_t>> layer_units(const std::vector<std::string>& names) {
  std::vector<std::vector<size_t>> units;
  std::string current;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto layer = layer_of(names[i]);
    if (units.empty() || layer != current) units.emplace_back();
    units.back().push_back(i);
    current = layer;
  }
  return units;
}

std::vector<TensorUnit> make_units(const std::vector<std::pair<std::string, at::Tensor>>& weights, int ranks) {
  std::vector<std::string> names;
  names.reserve(weights.size());
  for (const auto& entry : weights) names.push_back(entry.first);
  std::vector<TensorUnit> units;
  for (auto& indices : layer_units(names)) {
    std::vector<int64_t> sizes;
    for (const size_t i : indices) {
      LACONIC_CHECK(weights[i].second.is_contiguous(), "{} is not contiguous", weights[i].first);
      sizes.push_back(weights[i].second.numel());
    }
    units.push_back({std::move(indices), FlatUnit(std::move(sizes), ranks)});
  }
  return units;
}

}  // namespace laconic::distributed

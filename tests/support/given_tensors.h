// Tensors in memory where a TensorSource is wanted, and the whole tensors that several ranks have parts of.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/bytes.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic {

class GivenTensors final : public optim::TensorSource {
 public:
  explicit GivenTensors(const std::vector<std::pair<std::string, at::Tensor>>& tensors)
      : tensors_(tensors.begin(), tensors.end()) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    names.reserve(tensors_.size());
    for (const auto& entry : tensors_) names.push_back(entry.first);
    return names;
  }
  std::vector<int64_t> sizes(const std::string& name) const override { return tensors_.at(name).sizes().vec(); }
  at::ScalarType dtype(const std::string& name) const override { return tensors_.at(name).scalar_type(); }
  void read(const std::string& name, int64_t begin, const at::Tensor& target) const override {
    target.copy_(tensors_.at(name).contiguous().view({-1}).narrow(0, begin, target.numel()));
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

// Whole tensors on every rank, by name; the ranks' parts cover them.
inline std::vector<std::pair<std::string, at::Tensor>> whole_tensors(distributed::Communicator& communicator,
                                                                     const optim::TensorParts& parts) {
  auto mine = nlohmann::json::array();
  for (const auto& part : parts) {
    const auto flat = part.values.contiguous().view({-1});
    const auto* data = static_cast<const uint8_t*>(flat.const_data_ptr());
    mine.push_back({part.name, part.sizes, part.begin, static_cast<int>(flat.scalar_type()),
                    nlohmann::json::binary({data, data + flat.nbytes()})});
  }
  const auto bytes = nlohmann::json::to_cbor(mine);
  std::map<std::string, at::Tensor> whole;
  for (const auto& theirs : distributed::all_gather_bytes(communicator, {bytes.begin(), bytes.end()})) {
    for (const auto& part : nlohmann::json::from_cbor(theirs)) {
      const auto type = static_cast<at::ScalarType>(part.at(3).get<int>());
      auto [entry, added] = whole.try_emplace(part.at(0).get<std::string>());
      if (added) entry->second = at::zeros(part.at(1).get<std::vector<int64_t>>(), type);
      const auto& values = part.at(4).get_binary();
      const auto size = static_cast<int64_t>(values.size() / c10::elementSize(type));
      auto target = entry->second.view({-1}).narrow(0, part.at(2).get<int64_t>(), size);
      std::memcpy(target.mutable_data_ptr(), values.data(), values.size());
    }
  }
  return {whole.begin(), whole.end()};
}

}  // namespace laconic

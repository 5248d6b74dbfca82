// Ranks that hold the same weights stay the same, or are told apart.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/communicator.h"

namespace laconic::distributed {

// Compares a checksum of each tensor's bytes over the ranks. A difference is an Error of kind numeric, on all ranks,
// that names the first tensor and the ranks that have it otherwise than most do. CPU tensors.
void check_same_weights(Communicator& communicator, const std::vector<std::pair<std::string, at::Tensor>>& weights,
                        const std::string& when);

// The same in two steps, for weights that are gone when the ranks meet.
std::vector<int64_t> weight_checksums(const std::vector<std::pair<std::string, at::Tensor>>& weights);
void check_same_checksums(Communicator& communicator, const std::vector<std::pair<std::string, at::Tensor>>& weights,
                          const std::vector<int64_t>& checksums, const std::string& when);

}  // namespace laconic::distributed

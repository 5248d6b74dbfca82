// Dealing work to ranks so that all of them are busy about as long.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace laconic::distributed {

// The items of each rank, ascending: the heaviest first to whoever has least (longest processing time first), ties to
// the lower index and rank. A function of its arguments, so that every rank comes to the same answer. Costs >= 0.
std::vector<std::vector<int64_t>> deal(std::span<const int64_t> costs, int ranks);

}  // namespace laconic::distributed

// Texts, other bytes and a few numbers between ranks. They go with a checksum: what arrives otherwise than it was sent
// is an Error of kind io that names both ranks and the phase.
#pragma once

#include <string>
#include <vector>

#include "laconic/core/distributed/communicator.h"

namespace laconic::distributed {

// What every rank gives, in the order of the ranks.
std::vector<std::string> all_gather_bytes(Communicator& communicator, const std::string& mine);
// What rank `root` gives; the others' argument does not matter.
std::string broadcast_bytes(Communicator& communicator, const std::string& bytes, int root);
// The same of a few numbers, as many on every rank.
std::vector<std::vector<double>> all_gather_values(Communicator& communicator, const std::vector<double>& mine);

// Whether it holds on some rank.
bool any_rank(Communicator& communicator, bool here);
// Sums of a few numbers over the ranks, the same bits on all of them.
std::vector<double> sum_over_ranks(Communicator& communicator, const std::vector<double>& values);
std::vector<double> max_over_ranks(Communicator& communicator, const std::vector<double>& values);

}  // namespace laconic::distributed

// The first thing that the ranks of a run do together: each says who it is, and all come to the same verdict on whether
// they belong together.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/key_value_store.h"
#include "laconic/core/distributed/rank_facts.h"

namespace laconic::distributed {

// What must be the same on every rank: name and value. Of values with several lines those that differ are shown.
using Identity = std::vector<std::pair<std::string, std::string>>;

// A line that names this process for people: "host gpu01, process 4711".
std::string process_name();

// Waits until all ranks are there and checks them. Each of these is an Error that says which rank, on every rank that
// is still waiting: a rank that came twice, ranks that were told another world size, a store in use by another run, a
// difference in `identity`, ranks that did not come within the timeout.
void introduce(KeyValueStore& store, const RankFacts& facts, const Identity& identity, const std::string& name,
               std::chrono::milliseconds timeout);

}  // namespace laconic::distributed

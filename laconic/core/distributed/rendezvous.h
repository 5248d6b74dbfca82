// Where the processes of a run find each other, prove that they belong together, and are joined by a communicator.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "laconic/core/distributed/blackboard.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/introduction.h"
#include "laconic/core/distributed/rank_facts.h"

namespace c10d {
class Store;
}

namespace laconic::distributed {

// The program (a hash of its file) and the instruction sets of its kernels: ranks that round differently drift apart.
Identity program_identity();

struct JoinOptions {
  std::chrono::milliseconds start_timeout = std::chrono::minutes(5);  // until every rank has come
  std::chrono::milliseconds collective_timeout = std::chrono::minutes(30);
  std::string interface;  // network interface of the collectives; "" = the one that leads to rank 0
  // Makes another communicator than Gloo's over what the ranks share, which outlives it.
  std::function<std::unique_ptr<Communicator>(c10d::Store&)> make_communicator = {};
};

// A joined process. Everything of it lives as long as this object.
class JoinedRanks {
 public:
  virtual ~JoinedRanks() = default;
  virtual Communicator& communicator() = 0;
  // Another connection to what the ranks share, for a thread of its own.
  virtual std::unique_ptr<Blackboard> blackboard() = 0;
};

// Joins this process with the others, over Gloo unless the options say otherwise. These end in an Error that says which
// rank, on every rank that is still waiting: a rank that came twice, another world size, another run on the port or in
// the file, a different identity, ranks that did not come in time.
std::unique_ptr<JoinedRanks> join_ranks(const RankFacts& facts, const Identity& identity, const JoinOptions& options);

}  // namespace laconic::distributed

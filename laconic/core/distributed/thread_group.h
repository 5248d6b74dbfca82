// Ranks as threads of one process, for tests: exact (added up in the order of the ranks), and it finds the mistakes
// that a network back end answers with a hang: ranks that meet in different collectives, shapes or dtypes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "laconic/core/distributed/communicator.h"

namespace laconic::distributed {

class ThreadGroup {
 public:
  // A collective that some rank does not join within `timeout` fails on the others.
  explicit ThreadGroup(int world_size, std::chrono::milliseconds timeout = std::chrono::minutes(2));
  ~ThreadGroup();
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  Communicator& rank(int rank) { return *ranks_.at(static_cast<size_t>(rank)); }

  // Calls body(communicator) on one thread per rank. The first exception makes the collectives of the other ranks fail
  // and is thrown on when all have ended.
  void run(const std::function<void(Communicator&)>& body);

 private:
  class Meeting;
  class Rank;
  std::unique_ptr<Meeting> meeting_;
  std::vector<std::unique_ptr<Communicator>> ranks_;
};

}  // namespace laconic::distributed

// Notices, on a thread of its own, that a rank makes no progress, has failed or is gone, and says what every rank was
// doing. What then happens is its owner's decision: the rank's own thread may be stuck for ever.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "laconic/core/distributed/activity.h"
#include "laconic/core/distributed/blackboard.h"

namespace laconic::distributed {

struct WatchdogOptions {
  // Without progress of this rank within a phase; or of all ranks while it waits for them in a collective.
  double timeout_s = 600;
  double dead_after_s = 15;  // without a sign of life of another rank's watchdog
  // A rank that suffers from another's failure speaks so much later, so that whoever starts the ranks sees the cause
  // end first.
  double courtesy_s = 2;
  double interval_s = 0.5;                             // between two looks
  std::function<void(const std::string&)> on_failure;  // on the watchdog's thread, at most once; may end the process
};

class Watchdog {
 public:
  // `activity` outlives the watchdog.
  Watchdog(const Activity& activity, int rank, int world_size, std::unique_ptr<Blackboard> board,
           WatchdogOptions options);
  ~Watchdog();  // without a word before: the others take this rank for failed
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // This rank has done its work and will not be heard of any more.
  void finished();
  // Tells the others why this rank ends, so that they do not have to find out.
  void failed(const std::string& reason);
  // The same where another rank is the cause; returns so late (courtesy_s) that the cause has ended before. What is
  // then known of the cause, for people; "" when nothing is.
  std::string suffered(const std::string& reason);

 private:
  class Messenger;
  struct Sign;
  struct Known;

  void watch();
  enum class State { running, finished, failed, suffered };
  bool look();  // false: a failure was found
  std::string failure_of_others() const;
  std::string own_failure() const;
  std::string cause() const;
  bool others_make_progress() const;
  std::string others() const;
  void report(State state, const std::string& failure);
  void end(State state, const std::string& text);

  const Activity& activity_;
  const int rank_, world_size_;
  const WatchdogOptions options_;
  const std::unique_ptr<Messenger> messenger_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace laconic::distributed

// A place where each rank leaves a short text for the others, beside the collectives: what it is doing, that it failed.
// Usable from another thread than the communicator, and while a collective hangs.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace laconic::distributed {

class Blackboard {
 public:
  virtual ~Blackboard() = default;
  // Replaces what the rank left before. Throws where the board is gone.
  virtual void post(int rank, const std::string& text) = 0;
  // "" where the rank has left nothing yet.
  virtual std::string read(int rank) = 0;
};

// Of one process, for tests. Copies share their content.
class LocalBlackboard final : public Blackboard {
 public:
  LocalBlackboard() : content_(std::make_shared<Content>()) {}
  void post(int rank, const std::string& text) override;
  std::string read(int rank) override;

 private:
  struct Content {
    std::mutex mutex;
    std::map<int, std::string> texts;
  };
  std::shared_ptr<Content> content_;  // shared by the watchdogs of several ranks
};

}  // namespace laconic::distributed

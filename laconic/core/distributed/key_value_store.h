// Short texts under names that all processes of a run can reach: what a rendezvous is made of.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace laconic::distributed {

// All operations are atomic. They throw where the store is gone.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;
  virtual void set(const std::string& key, const std::string& text) = 0;
  virtual std::optional<std::string> get(const std::string& key) = 0;
  // Sets it where nothing stands; returns what stands there now. `text` is not empty.
  virtual std::string set_if_absent(const std::string& key, const std::string& text) = 0;
  // Adds to a counter that begins at 0, and returns its new value.
  virtual int64_t add(const std::string& key, int64_t amount) = 0;
};

// Of one process, for tests.
class LocalStore final : public KeyValueStore {
 public:
  void set(const std::string& key, const std::string& text) override;
  std::optional<std::string> get(const std::string& key) override;
  std::string set_if_absent(const std::string& key, const std::string& text) override;
  int64_t add(const std::string& key, int64_t amount) override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, int64_t> counters_;
};

}  // namespace laconic::distributed

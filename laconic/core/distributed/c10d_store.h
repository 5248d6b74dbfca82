// LibTorch's stores (TCP, file) behind our interface. Includes c10d's headers: for the files that make a back end.
#pragma once

#include <chrono>
#include <memory>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "laconic/core/distributed/blackboard.h"
#include "laconic/core/distributed/key_value_store.h"
#include "laconic/core/distributed/rank_facts.h"

namespace laconic::distributed {

// The store of a run: rank 0 serves it over TCP, or all meet in a file. A port that is taken and a host that does not
// answer within the timeout are Errors.
c10::intrusive_ptr<c10d::Store> open_store(const RankFacts& facts, std::chrono::milliseconds timeout);

class C10dStore final : public KeyValueStore {
 public:
  explicit C10dStore(c10::intrusive_ptr<c10d::Store> store) : store_(std::move(store)) {}
  void set(const std::string& key, const std::string& text) override;
  std::optional<std::string> get(const std::string& key) override;
  std::string set_if_absent(const std::string& key, const std::string& text) override;
  int64_t add(const std::string& key, int64_t amount) override;

 private:
  c10::intrusive_ptr<c10d::Store> store_;
};

// A blackboard in the store (a connection of its own), or beside the file where the ranks meet in one: a file store
// only ever grows.
std::unique_ptr<Blackboard> open_blackboard(const RankFacts& facts, const c10::intrusive_ptr<c10d::Store>& store);

}  // namespace laconic::distributed

// Writes a run's checkpoints, on the caller's thread or behind its back.
//
// Asynchronous, save() costs the caller a copy of the tensors into memory that is kept for the next one (as much again
// as weights and optimizer state take); a thread of its own serialises, flushes and renames. At most one is in flight:
// the next save() waits for it. What went wrong there is told at the caller's next poll(), save() or finish().
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>

#include "laconic/core/checkpoint/store.h"

namespace laconic::checkpoint {

enum class OnError {
  fail,   // the Error goes to the caller
  go_on,  // where the system refused (Error of kind io): a warning, counted; the earlier checkpoints are intact
};

struct WriterOptions {
  bool asynchronous = false;
  OnError on_error = OnError::fail;
};

class Writer {
 public:
  Writer(Store store, WriterOptions options);
  // Waits for the one in flight; a failure that nobody has asked for is a warning.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void save(const Position& position, Content content, Store::BeforeManifest before_manifest = {});
  // Tells what became of the one in flight, where that is known; never waits. For the end of every step.
  void poll();
  // Waits for the one in flight and tells what became of it.
  void finish();

  const Store& store() const { return store_; }
  // Of those written by this object and told of.
  std::optional<Position> newest() const { return newest_; }
  int64_t failures() const { return failures_; }

 private:
  struct InFlight {
    Position position;
    std::future<std::filesystem::path> written;
  };
  void tell(InFlight done);

  Store store_;
  WriterOptions options_;
  NamedTensors weights_, optimizer_;  // memory of the copies
  std::optional<InFlight> in_flight_;
  std::optional<Position> newest_;
  int64_t failures_ = 0;
};

}  // namespace laconic::checkpoint

// Writes a run's checkpoints, on the caller's thread or behind its back, alone or together with other ranks.
//
// Asynchronous, save() costs the caller a copy of the tensors into memory that is kept for the next one (as much again
// as the weights and the optimizer state that it writes); a thread of its own serialises, flushes and renames. At most
// one is in flight: the next save() waits for it. What went wrong there is told at the caller's next poll(), save() or
// finish().
//
// With several ranks every method but the destructor is a collective of all of them, and all of them hear the same: the
// error of any rank is that of all. Either rank 0 writes everything, or each rank writes its share, and rank 0 makes a
// checkpoint of the shares when it is told that all are there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/checkpoint/store.h"

namespace laconic::checkpoint {

enum class OnError {
  fail,   // the Error goes to the caller
  go_on,  // where the system refused (Error of kind io): a warning, counted; the earlier checkpoints are intact
};

struct WriterOptions {
  bool asynchronous = false;
  OnError on_error = OnError::fail;
  bool divided = false;  // each of several ranks writes its share
};

// The ranks that write together.
struct Company {
  int rank = 0;
  int ranks = 1;
  // What every rank gives, in their order; collective. Not called where there is one rank.
  std::function<std::vector<std::string>(const std::string&)> exchange = {};
};

class Writer {
 public:
  Writer(Store store, WriterOptions options, Company company = {});
  // Waits for what this rank has in flight; a failure that nobody has asked for is a warning. Shares of several ranks
  // stay an incomplete checkpoint.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Whether anything of a checkpoint is written by this rank.
  bool writes() const { return company_.rank == 0 || options_.divided; }
  void save(const Position& position, Content content, Store::BeforeManifest before_manifest = {});
  // Tells what became of the one in flight, where all ranks know of theirs; never waits for a disk. For the end of
  // every step.
  void poll();
  // Waits for the one in flight and tells what became of it.
  void finish();

  const Store& store() const { return store_; }
  // Of those written by this object and told of.
  std::optional<Position> newest() const { return newest_; }
  int64_t failures() const { return failures_; }

 private:
  // What became of a rank's share, or of the whole.
  struct Outcome {
    std::optional<Error> error;
    nlohmann::json files;          // of a share
    std::filesystem::path folder;  // of a complete checkpoint
  };
  struct InFlight {
    Position position;
    std::map<std::string, double> evaluation;
    std::future<Outcome> written;
  };
  static Outcome attempt(const std::function<void(Outcome&)>& body);
  void keep_copies(Content& content);
  Outcome write(const Position& position, const Content& content, const Store::BeforeManifest& before_manifest);
  Outcome agree(const Outcome& mine) const;
  Outcome complete(InFlight& done);
  void tell(const Position& position, const Outcome& outcome);

  Store store_;
  WriterOptions options_;
  Company company_;
  optim::TensorParts weights_, optimizer_;  // memory of the copies
  std::optional<InFlight> in_flight_;
  std::optional<Position> newest_;
  int64_t failures_ = 0;
};

}  // namespace laconic::checkpoint

// Checkpoints of a run: folders that are either complete or not there.
//
// A checkpoint is written into `<name>.partial`, every file flushed, a manifest with sizes and CRC-32 sums last, then
// the folder is renamed; one of the same position is exchanged for it. Loading takes the newest one whose manifest
// holds; every other is named and passed over.
//
// Several ranks write one together where each has a part of the tensors: begin() by the first, write_share() by every
// one, and when all have done so, commit() by the first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/checkpoint/tensor_files.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic::checkpoint {

// The files that hold a Record, for messages about what is in them.
inline constexpr const char* kStateFile = "state.json";
inline constexpr const char* kRolloutFile = "rollout.cbor";

// What is saved besides tensors. `state` must be enough, with them, to continue bit for bit; a number in it that is not
// finite is an error (JSON cannot hold it).
struct Record {
  nlohmann::json state;
  nlohmann::json rollout;  // null, or the samples of a rollout that is still in use (stored as CBOR)
  // What an evaluation of these weights has found, by metric; empty where they were not evaluated. Finite.
  std::map<std::string, double> evaluation = {};
};

// Everything that is saved, or a rank's share of it: its part of the tensors, and the record of rank 0.
struct Content : Record {
  optim::TensorParts weights;  // under the parameters' names
  optim::TensorParts optimizer;
};

// Which share of a checkpoint.
struct Share {
  int rank = 0;
  int ranks = 1;
};

// Position of a checkpoint in a run: completed steps, and optimizer updates done of the next one.
struct Position {
  int64_t step = 0;
  int64_t update = 0;
  auto operator<=>(const Position&) const = default;  // NOLINT(modernize-use-nullptr): the 0 in its implementation
};

// Which checkpoints stay, of those up to the one saved last.
struct Retention {
  int newest = 2;         // >= 1
  int64_t every = 0;      // steps: those after a multiple of it stay as well; 0 = none
  std::string best = {};  // a metric of Content::evaluation: the best by it stays as well; "" = none
  bool higher_is_better = true;
};

class Store {
 public:
  Store(std::filesystem::path folder, Retention retention);

  // Called when everything but the manifest is written, with the partial folder; what it throws ends the saving.
  using BeforeManifest = std::function<void(const std::filesystem::path&)>;
  // Returns the folder written. On failure (a full disk) the partial folder is removed, earlier checkpoints are
  // untouched.
  std::filesystem::path save(const Position& position, const Content& content,
                             const BeforeManifest& before_manifest = {});

  // The same in the steps of several ranks. An error of any step leaves the partial folder to abandon().
  void begin(const Position& position) const;
  // Returns the manifest's entries of the files written, which are flushed.
  nlohmann::json write_share(const Position& position, const Share& share, const Content& content,
                             const BeforeManifest& before_manifest = {}) const;
  // `files` are the entries of all `ranks`.
  std::filesystem::path commit(const Position& position, const std::map<std::string, double>& evaluation, int ranks,
                               const nlohmann::json& files) const;
  void abandon(const Position& position) const;

  struct Loaded {
    Position position;
    std::filesystem::path folder;
    Record content;
    TensorFiles weights, optimizer;
  };
  // A checkpoint that is not usable.
  struct PassedOver {
    std::filesystem::path folder;
    std::string reason;
    bool unfinished = false;  // the run ended while it was written; otherwise it was complete once and is damaged
  };
  // The newest complete checkpoint, or nothing. `on_passed_over` hears of each newer one.
  std::optional<Loaded> load_newest(const std::function<void(const PassedOver&)>& on_passed_over) const;

  // Whether every file is read to compare its sum, or only its size is looked at.
  enum class Check { sizes, sums };
  // Loads one folder; what is wrong with it is an Error of kind input. Tensors stay in their files until they are read.
  static Loaded load(const std::filesystem::path& folder, Check check = Check::sums);

  // Whether the folder is meant to be one checkpoint, complete or not.
  static bool is_checkpoint(const std::filesystem::path& folder);

  // The best complete checkpoint by Retention::best, the earliest of equals, of those before or at `last`.
  struct Best {
    std::filesystem::path folder;
    double value = 0;
  };
  std::optional<Best> best(const Position& last) const;
  bool is_better(double value, double than) const { return retention_.higher_is_better ? value > than : value < than; }

  // Whether anything that looks like a checkpoint, complete or not, is there.
  bool empty() const;

 private:
  std::filesystem::path partial_of(const Position& position) const;
  template <typename Body>
  auto writing(const Position& position, const Body& body) const;
  std::vector<std::filesystem::path> folders_newest_first() const;
  void remove_old(const Position& saved) const;

  std::filesystem::path folder_;
  Retention retention_;
};

}  // namespace laconic::checkpoint

// Checkpoints of a run: folders that are either complete or not there.
//
// A checkpoint is written into `<name>.partial`, every file flushed, a manifest with sizes and CRC-32 sums last, then
// the folder is renamed; one of the same position is exchanged for it. Loading takes the newest one whose manifest
// holds; every other is named and passed over.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace laconic::checkpoint {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// What is saved. `state` must be enough, with the tensors, to continue bit for bit; a number in it that is not finite
// is an error (JSON cannot hold it).
struct Content {
  nlohmann::json state;
  NamedTensors weights;  // under the parameters' names
  NamedTensors optimizer;
  nlohmann::json rollout;  // null, or the samples of a rollout that is still in use (stored as CBOR)
  // What an evaluation of these weights has found, by metric; empty where they were not evaluated. Finite.
  std::map<std::string, double> evaluation = {};
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

  struct Loaded {
    Position position;
    std::filesystem::path folder;
    Content content;
  };
  // A checkpoint that is not usable.
  struct PassedOver {
    std::filesystem::path folder;
    std::string reason;
    bool unfinished = false;  // the run ended while it was written; otherwise it was complete once and is damaged
  };
  // Weights alone leave the optimizer's part of the content empty; every file is checked in any case.
  enum class What { everything, weights };
  // The newest complete checkpoint, or nothing. `on_passed_over` hears of each newer one.
  std::optional<Loaded> load_newest(const std::function<void(const PassedOver&)>& on_passed_over,
                                    What what = What::everything) const;

  // Loads one folder; what is wrong with it is an Error of kind input.
  static Loaded load(const std::filesystem::path& folder, What what = What::everything);

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
  std::vector<std::filesystem::path> folders_newest_first() const;
  void remove_old(const Position& saved) const;

  std::filesystem::path folder_;
  Retention retention_;
};

}  // namespace laconic::checkpoint

// Checkpoints of a run: folders that are either complete or not there.
//
// A checkpoint is written into `<name>.partial`, every file flushed, a manifest with sizes and CRC-32 sums last, then
// the folder is renamed; one of the same position is exchanged for it. Loading takes the newest one whose manifest
// holds; every other is named in a warning and passed over.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
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
};

// Position of a checkpoint in a run: completed steps, and optimizer updates done of the next one.
struct Position {
  int64_t step = 0;
  int64_t update = 0;
  auto operator<=>(const Position&) const = default;  // NOLINT(modernize-use-nullptr): the 0 in its implementation
};

class Store {
 public:
  // `keep`: how many complete checkpoints stay, of those up to the one saved last; >= 1.
  Store(std::filesystem::path folder, int keep);

  // Returns the folder written. On failure (a full disk) the partial folder is removed, earlier checkpoints are
  // untouched.
  std::filesystem::path save(const Position& position, const Content& content);

  struct Loaded {
    Position position;
    std::filesystem::path folder;
    Content content;
  };
  // Weights alone leave the optimizer's part of the content empty; every file is checked in any case.
  enum class What { everything, weights };
  // The newest complete checkpoint, or nothing. `on_passed_over` hears the folder and the reason of each that is not
  // usable.
  std::optional<Loaded> load_newest(
      const std::function<void(const std::filesystem::path&, const std::string&)>& on_passed_over,
      What what = What::everything) const;

  // Loads one folder; what is wrong with it is an Error of kind input.
  static Loaded load(const std::filesystem::path& folder, What what = What::everything);

  // Whether the folder is meant to be one checkpoint, complete or not.
  static bool is_checkpoint(const std::filesystem::path& folder);

  // Whether anything that looks like a checkpoint, complete or not, is there.
  bool empty() const;

 private:
  std::vector<std::filesystem::path> folders_newest_first() const;
  void remove_old(const Position& saved) const;

  std::filesystem::path folder_;
  int keep_;
};

}  // namespace laconic::checkpoint

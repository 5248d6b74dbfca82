// Target lengths by difficulty, chosen on a monitor set (LASER-D, arXiv 2505.15612, section 4): the shortest length
// under which a prompt of the bucket can still be expected to have one right completion.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "laconic/algorithms/step.h"
#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

enum class Difficulty { easy, medium, hard };
inline constexpr std::array<Difficulty, 3> kDifficulties = {Difficulty::easy, Difficulty::medium, Difficulty::hard};
const char* to_string(Difficulty difficulty);

enum class BucketRule { paper, code };
enum class Minimum { ceil, floor, floor_of_8 };
enum class TargetFallback { limit, batch_longest };

struct TargetConfig {
  int monitor_every = 20;
  int64_t initial_target_tokens = 8192;
  int64_t lower_bound_tokens = 4096;
  int64_t candidate_step = 1024;
  BucketRule buckets = BucketRule::paper;
  Minimum minimum = Minimum::ceil;
  TargetFallback fallback = TargetFallback::limit;
  // The fields stand in the method's own section.
  void visit(config::Visitor& v);
};

// Bucket of a prompt with `right` of `all` completions right: easy from 2/3 on, hard below 1/3. `strict` moves the
// boundaries themselves down one bucket, as the code does for monitor prompts.
Difficulty difficulty_of(int64_t right, int64_t all, bool strict);

// n_d: the fewest right completions of `samples` that a prompt of the bucket can have.
int64_t least_right(Difficulty difficulty, int64_t samples, Minimum minimum);

// lower bound, then in steps up to `limit`. A lower bound below the step is followed by the multiples of the step.
std::vector<int64_t> target_candidates(int64_t lower_bound, int64_t step, int64_t limit);

// The smallest candidate l with P(length <= l) * least >= 1; nothing when none qualifies or there are no lengths.
std::optional<int64_t> choose_target(const std::vector<int64_t>& lengths, int64_t least,
                                     const std::vector<int64_t>& candidates);

// The slow state: what the last monitor pass found.
class LengthTargets {
 public:
  explicit LengthTargets(const TargetConfig& config) : config_(config) {}

  // Groups of the monitor prompts; all have the same number of samples.
  void measure(const Step& pass);

  // The target of a bucket in a training step. Where the completion limit is the target but is not known (recorded
  // steps), the step's longest completion stands for it: both let every right answer have the bonus.
  int64_t target(Difficulty difficulty, const Step& step) const;
  // Monitor prompts in a bucket; 0 before the first pass.
  int64_t prompts(Difficulty difficulty) const { return prompts_[static_cast<size_t>(difficulty)]; }

  // {} before the first pass; {"targets": {"easy": 4096, "medium": null, ...}, "prompts": {...}} after it, where null
  // stands for the fallback.
  nlohmann::json to_json() const;
  void restore(const nlohmann::json& state, const std::string& owner);

 private:
  TargetConfig config_;
  bool measured_ = false;
  std::array<std::optional<int64_t>, 3> chosen_;
  std::array<int64_t, 3> prompts_{};
};

}  // namespace laconic::algorithms

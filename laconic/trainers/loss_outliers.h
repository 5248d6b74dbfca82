// Updates whose loss or gradient norm is out of the ordinary, and the samples that had the largest part in them.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/algorithms/token_batch.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/metrics/outlier.h"
#include "laconic/trainers/update.h"

namespace laconic::trainers {

// The last updates' losses and gradient norms, finite ones.
struct RecentUpdates {
  std::vector<double> losses, norms;
};

// What is out of the ordinary about an update.
struct Unusual {
  std::string what;   // "loss" or "gradient norm"
  double value = 0;   // not finite: unusual in any case
  double score = 0;   // deviations from the median (metrics::OutlierCheck)
  double median = 0;  // of the updates before
  std::string text() const;
  // The record of an update: `where` (its step and the like), this, and the samples with the largest parts in its loss.
  nlohmann::ordered_json record(nlohmann::ordered_json where, const std::vector<nlohmann::ordered_json>& samples) const;
  // The same for people; `describe` gives a line for each sample.
  std::string warning(const std::string& where, const std::vector<nlohmann::ordered_json>& samples,
                      const std::function<std::string(const nlohmann::ordered_json&)>& describe) const;
};

class LossOutliers {
 public:
  // Deviations from the median of the last updates from which on a value is unusual: a loss in either direction, a norm
  // that is larger.
  static constexpr double kLimit = 10.0;

  // Of an update's loss and gradient norm, which are the same on all ranks; where the loss is not finite, the norm says
  // nothing more.
  std::vector<Unusual> look_at(double loss, double grad_norm);
  std::vector<Unusual> look_at(const UpdateReport& report);
  RecentUpdates recent() const { return {losses_.values(), norms_.values()}; }
  void restore(const RecentUpdates& recent);

 private:
  metrics::OutlierCheck losses_, norms_;
};

// The samples with the largest parts in the loss of a mini-batch, over all ranks, largest first; those whose part is
// not finite before all others. Each is an object with prompt_id, prompt_index (place in the prompt order), sample (of
// the group), loss (its part), advantage_min, advantage_max, tokens, truncated, reward, logprob_min, and ratio_min and
// ratio_max against the sampling policy (null where its logprobs are not known). Collective; `communicator` may be
// null.
std::vector<nlohmann::ordered_json> largest_losses(const algorithms::MiniBatch& mini_batch, const UpdateReport& report,
                                                   distributed::Communicator* communicator, size_t count = 5);
// Of the ranks' entries those with the largest "loss", as above. Collective; `communicator` may be null.
std::vector<nlohmann::ordered_json> largest_of(std::vector<nlohmann::ordered_json> entries,
                                               distributed::Communicator* communicator, size_t count = 5);
// One line for people.
std::string describe_sample(const nlohmann::ordered_json& sample);

}  // namespace laconic::trainers

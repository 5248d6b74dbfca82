// Rewards of the user's own within a rollout: a group's completions as they are asked about, and the answer as its
// samples have it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "laconic/algorithms/step.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/rewards/external/external_rewards.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/prompts.h"
#include "laconic/trainers/step_metrics.h"

namespace laconic::trainers {

// The samples from `first` on; `texts` are their completions.
rewards::Batch batch_of(const Prompt& prompt, const algorithms::Group& group, size_t first,
                        std::vector<std::string> texts, const Judge& judge);

// Gives the samples from `first` on their rewards, and their verdict where the rewards decide it; marks the group where
// it is to be dropped. `limit` is that of a completion's tokens.
void take_rewards(const rewards::BatchRewards& rewards, size_t first, int64_t limit, const Judge& judge,
                  algorithms::Group& group);

// reward/failures and reward_failures/... where there are any, reward_log/... of log_metric().
void add_external_metrics(const rewards::ExternalStatistics& statistics, NamedValues& values);

nlohmann::json to_json(const rewards::ExternalStatistics& statistics);
rewards::ExternalStatistics external_statistics_from_json(const nlohmann::json& json);

}  // namespace laconic::trainers

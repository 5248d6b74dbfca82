// Work that is divided between ranks, and results that all of them then have: whatever one rank computes of an item
// does not depend on which rank it is, so that dividing changes no number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "laconic/core/distributed/communicator.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/update.h"

namespace laconic::trainers {

// This rank's share of sequences (all of them without a communicator), dealt by length, in micro-batches of at most
// `token_budget` tokens: lists of indices. All ranks make the same number of passes through the model, since they meet
// in it: who has fewer micro-batches gets empty ones.
std::vector<std::vector<int64_t>> micro_batches_of(const distributed::Communicator* communicator,
                                                   std::span<const int64_t> lengths, int64_t token_budget);

// collect() with the prompts dealt to the ranks by the tokens that the objective plans for them. Every rank returns
// every group, in the order of the prompts; a stop on one rank is a stop on all.
std::vector<algorithms::Group> collect_over_ranks(rollout::Engine& engine, const algorithms::Objective& objective,
                                                  std::span<const PlacedPrompt> prompts, const Judge& judge,
                                                  const CollectOptions& options,
                                                  const std::function<void(int64_t, int64_t)>& on_progress,
                                                  CollectReport& report);

// Each rank has filled in the rows of its share (distributed::deal of the same costs); afterwards every rank has all
// rows, bit for bit.
void exchange_rows(distributed::Communicator& communicator, std::span<const int64_t> costs,
                   std::vector<std::vector<double>>& rows);

// The report of a mini-batch of which each rank has done a part. Times stay this rank's own.
void combine_reports(distributed::Communicator& communicator, UpdateReport& report);

}  // namespace laconic::trainers

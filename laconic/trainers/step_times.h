// Wall-clock figures and tokens of the step in progress, and the row that they make.
#pragma once

#include <cstdint>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/metrics/row.h"
#include "laconic/rewards/external/external_rewards.h"

namespace laconic::trainers {

struct StepTimes {
  double monitor = 0, rollout = 0, reward_wait = 0, logprob = 0, forward = 0, backward = 0, optimizer = 0;  // seconds
  double verify = 0;                                  // seconds of the verifier's threads, beside the others
  int64_t generated = 0, prefilled = 0, adopted = 0;  // tokens
  rewards::ExternalStatistics external = {};
  distributed::Traffic traffic_before = {};

  double train() const { return forward + backward + optimizer; }
  double total() const { return monitor + rollout + reward_wait + logprob + train(); }
};

struct StepTimesContext {
  bool monitored = false;         // the run has a monitor pass
  double checkpoint_seconds = 0;  // spent on checkpoints since the last row; 0: none
  int64_t trained_tokens = 0;
  const distributed::Traffic* traffic = nullptr;  // now; null: one rank
};

// time/..., throughput/...: seconds, and tokens per second where seconds were spent.
void add_times(const StepTimes& times, const StepTimesContext& context, metrics::MetricRow& row);

}  // namespace laconic::trainers

#include "laconic/trainers/step_times.h"

namespace laconic::trainers {

void add_times(const StepTimes& times, const StepTimesContext& context, metrics::MetricRow& row) {
  const double train = times.train(), total = times.total();
  if (context.checkpoint_seconds > 0) row.set("time/checkpoint_s", context.checkpoint_seconds);
  row.set("time/step_s", total);
  if (context.monitored) row.set("time/monitor_s", times.monitor);
  row.set("time/rollout_s", times.rollout);
  row.set("time/reward_wait_s", times.reward_wait);
  row.set("time/reward_s", times.verify + times.external.seconds);
  if (times.external.batches > 0) row.set("time/external_reward_s", times.external.seconds);
  row.set("time/logprob_s", times.logprob);
  row.set("time/forward_s", times.forward);
  row.set("time/backward_s", times.backward);
  row.set("time/optimizer_s", times.optimizer);
  row.set("time/train_s", train);
  if (total > 0) row.set("throughput/tokens_per_s", static_cast<double>(times.generated) / total);
  if (times.rollout > 0)
    row.set("throughput/rollout_tokens_per_s", static_cast<double>(times.generated) / times.rollout);
  row.set("throughput/prefilled_tokens", times.prefilled);
  row.set("throughput/decoded_tokens", times.generated);
  row.set("throughput/adopted_tokens", times.adopted);
  if (train > 0) row.set("throughput/train_tokens_per_s", static_cast<double>(context.trained_tokens) / train);
  if (context.traffic == nullptr) return;
  row.set("time/collectives_s", context.traffic->wait_seconds - times.traffic_before.wait_seconds);
  row.set("throughput/wire_bytes", context.traffic->wire_bytes - times.traffic_before.wire_bytes);
}

}  // namespace laconic::trainers

#include "laconic/trainers/share.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/work_split.h"
#include "laconic/trainers/external_stage.h"
#include "laconic/trainers/step_archive.h"

namespace laconic::trainers {
namespace {

using nlohmann::json;

std::string to_bytes(const json& value) {
  const auto bytes = json::to_cbor(value);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Tokens through the model at most, prompts counted with each sample.
int64_t planned_tokens(const algorithms::Objective& objective, const PlacedPrompt& placed,
                       const CollectOptions& options) {
  algorithms::Group group;
  group.prompt_id = placed.prompt.id;
  group.prompt_index = placed.position;
  group.prompt_ids = placed.prompt.ids;
  group.reference_pass_rate = placed.reference_pass_rate;
  int64_t tokens = 0;
  for (const auto& planned : objective.plan(group, options.step)) {
    const auto prompt = static_cast<int64_t>(group.prompt_ids.size() + planned.prompt_suffix.size());
    tokens += planned.count * (prompt + std::min(options.max_tokens, planned.max_tokens.value_or(options.max_tokens)));
  }
  return tokens;
}

json to_json(const CollectReport& report) {
  return {report.drawn_tokens, report.prefilled_tokens, report.adopted_tokens, trainers::to_json(report.external),
          report.verify_seconds};
}

void add(CollectReport& report, const json& other) {
  report.drawn_tokens += other.at(0).get<int64_t>();
  report.prefilled_tokens += other.at(1).get<int64_t>();
  report.adopted_tokens += other.at(2).get<int64_t>();
  report.external.add(external_statistics_from_json(other.at(3)));
  report.verify_seconds += other.at(4).get<double>();
}

}  // namespace

std::vector<std::vector<int64_t>> micro_batches_of(const distributed::Communicator* communicator,
                                                   std::span<const int64_t> lengths, int64_t token_budget) {
  const int ranks = communicator == nullptr ? 1 : communicator->world_size();
  const auto dealt = distributed::deal(lengths, ranks);
  std::vector<std::vector<int64_t>> mine;
  size_t most = ranks > 1 ? 1 : 0;  // gradients travel in a backward pass, be it empty on all ranks
  for (int rank = 0; rank < ranks; ++rank) {
    const auto& share = dealt[static_cast<size_t>(rank)];
    std::vector<int64_t> own;
    for (const int64_t index : share) own.push_back(lengths[static_cast<size_t>(index)]);
    auto batches = policy::split_by_tokens(own, token_budget);
    most = std::max(most, batches.size());
    if (communicator != nullptr && rank != communicator->rank()) continue;
    for (auto& batch : batches) {
      for (auto& index : batch) index = share[static_cast<size_t>(index)];
    }
    mine = std::move(batches);
  }
  mine.resize(most);
  return mine;
}

std::vector<algorithms::Group> collect_over_ranks(rollout::Engine& engine, const algorithms::Objective& objective,
                                                  std::span<const PlacedPrompt> prompts, const Judge& judge,
                                                  const CollectOptions& options,
                                                  const std::function<void(int64_t, int64_t)>& on_progress,
                                                  CollectReport& report) {
  auto& communicator = *options.communicator;
  std::vector<int64_t> costs;
  for (const auto& placed : prompts) costs.push_back(planned_tokens(objective, placed, options));
  const auto dealt = distributed::deal(costs, communicator.world_size());
  std::vector<PlacedPrompt> mine;
  for (const int64_t i : dealt[static_cast<size_t>(communicator.rank())])
    mine.push_back(prompts[static_cast<size_t>(i)]);

  CollectOptions local = options;
  local.communicator = nullptr;
  local.on_group = {};
  algorithms::Step step;
  CollectReport own;
  bool stopped = false;
  const auto listen = [&](int64_t done, int64_t total) {
    communicator.activity().progress();
    // This rank's share stands for all of them.
    if (on_progress && !mine.empty()) {
      const auto factor = static_cast<int64_t>(prompts.size()), part = static_cast<int64_t>(mine.size());
      on_progress(done * factor / part, total * factor / part);
    }
  };
  auto* weights = engine.model().weight_use();
  if (weights != nullptr) weights->begin_uneven_passes();
  try {
    step.groups = collect(engine, objective, mine, judge, local, listen, own);
  } catch (const Stopped&) {
    stopped = true;
  }
  if (weights != nullptr) weights->end_uneven_passes();
  report.rollout_seconds += own.rollout_seconds;
  report.reward_wait_seconds += own.reward_wait_seconds;
  if (distributed::any_rank(communicator, stopped)) throw Stopped{};

  const auto gathered =
      distributed::all_gather_bytes(communicator, to_bytes({{"step", to_json(step)}, {"report", to_json(own)}}));
  std::vector<algorithms::Group> groups(prompts.size());
  for (size_t rank = 0; rank < gathered.size(); ++rank) {
    const auto message = json::from_cbor(gathered[rank]);
    add(report, message.at("report"));
    auto theirs = step_from_json(message.at("step"));
    LACONIC_CHECK(theirs.groups.size() == dealt[rank].size(), "rank {} sent {} groups of {}", rank,
                  theirs.groups.size(), dealt[rank].size());
    for (size_t i = 0; i < theirs.groups.size(); ++i)
      groups[static_cast<size_t>(dealt[rank][i])] = std::move(theirs.groups[i]);
  }
  if (options.on_group) {
    for (size_t i = 0; i < groups.size(); ++i) options.on_group(i, groups[i]);
  }
  return groups;
}

void exchange_rows(distributed::Communicator& communicator, std::span<const int64_t> costs,
                   std::vector<std::vector<double>>& rows) {
  const auto dealt = distributed::deal(costs, communicator.world_size());
  json mine = json::array();
  for (const int64_t i : dealt[static_cast<size_t>(communicator.rank())]) mine.push_back(rows[static_cast<size_t>(i)]);
  const auto gathered = distributed::all_gather_bytes(communicator, to_bytes(mine));
  for (size_t rank = 0; rank < gathered.size(); ++rank) {
    const auto theirs = json::from_cbor(gathered[rank]);
    for (size_t i = 0; i < dealt[rank].size(); ++i)
      rows[static_cast<size_t>(dealt[rank][i])] = theirs.at(i).get<std::vector<double>>();
  }
}

void combine_reports(distributed::Communicator& communicator, UpdateReport& report) {
  const json mine = {to_json(report.loss), report.tokens, report.micro_batches, report.optimizer.skipped};
  algorithms::LossStatistics loss;
  report.tokens = 0;
  report.micro_batches = 0;
  for (const auto& bytes : distributed::all_gather_bytes(communicator, to_bytes(mine))) {
    const auto theirs = json::from_cbor(bytes);
    loss.add(statistics_from_json(theirs.at(0)));
    report.tokens += theirs.at(1).get<int64_t>();
    report.micro_batches += theirs.at(2).get<int64_t>();
    report.optimizer.skipped |= theirs.at(3).get<bool>();
  }
  report.loss = loss;
}

}  // namespace laconic::trainers

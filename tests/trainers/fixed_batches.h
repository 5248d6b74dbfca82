// Updates of a tiny model on fixed mini-batches, without a rollout: what a rank does between two rollouts.
#pragma once

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/trainers/ranks.h"
#include "laconic/trainers/update.h"
#include "tests/support/tiny_model.h"

namespace laconic::trainers {

// Groups of samples with random tokens and advantages; their lengths are uneven.
inline std::vector<algorithms::Group> random_groups(uint64_t seed, int groups, int samples, int longest) {
  Rng rng(DrawPurpose::procedural_data, {seed});
  const auto token = [&] { return static_cast<int32_t>(rng.below(60)); };
  std::vector<algorithms::Group> result;
  for (int g = 0; g < groups; ++g) {
    algorithms::Group group;
    for (int i = 0; i < 3 + g; ++i) group.prompt_ids.push_back(token());
    for (int s = 0; s < samples; ++s) {
      algorithms::Sample sample;
      sample.length = 1 + static_cast<int64_t>(rng.below(static_cast<uint32_t>(longest)));
      for (int64_t i = 0; i < sample.length; ++i) {
        sample.ids.push_back(token());
        sample.logp_rollout.push_back(-4.0);
      }
      sample.advantage = {rng.normal()};
      group.samples.push_back(std::move(sample));
    }
    result.push_back(std::move(group));
  }
  return result;
}

// A model over the ranks of a run and its optimizer.
struct Learner {
  Learner(distributed::Communicator& communicator, model::Model start, const ParallelSection& parallel,
          int64_t micro_batch_tokens)
      : ranks(communicator), model(std::move(start)) {
    model.set_trainable(true);
    OptimizerSection section;
    section.adamw.weight_decay = 0.1;
    section.adamw.max_grad_norm = 0.5;
    optimizer = make_optimizer(model, section, parallel, ranks);
    options.micro_batch_tokens = micro_batch_tokens;
    options.communicator = &communicator;
    options.before_last_pass = [this] { optimizer->expect_last_pass(); };
  }
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  UpdateReport learn(const std::vector<algorithms::Group>& groups) {
    const algorithms::Objective objective{algorithms::ObjectiveConfig()};
    std::vector<const algorithms::Group*> pointers;
    pointers.reserve(groups.size());
    for (const auto& group : groups) pointers.push_back(&group);
    auto mini_batch = algorithms::make_mini_batch(objective.config().loss, pointers, 64);
    return update(model, objective, mini_batch, *optimizer, 1e-3, options);
  }

  Ranks ranks;
  model::Model model;
  std::unique_ptr<distributed::ShardedAdamW> optimizer;
  UpdateOptions options;
};

}  // namespace laconic::trainers

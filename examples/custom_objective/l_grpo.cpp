// A method from outside of the library: L-GRPO, the second stage of ConciseR (arXiv 2505.21178). Only prompts whose
// whole group is right are trained on, and what is rewarded there is the share of the token budget that an answer
// leaves:
//
//   r = [right] + weight * (1 - L / budget)
//
// The program is `laconic` with one objective more: custom_objective score, train, config explain objective, ...
#include <iostream>
#include <optional>
#include <vector>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/registry.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"

namespace {

using namespace laconic;  // NOLINT(google-build-using-namespace): a program of one file

// The sub-section `l_grpo` of `objective`: names, ranges, help and defaults in one place.
struct LGrpoConfig : algorithms::OwnConfig<LGrpoConfig> {
  double weight = 1.0;
  double min_length_std = 0.0;
  std::optional<int64_t> budget_tokens;

  void visit(config::Visitor& v) override {
    v.field("weight", weight,
            {.help = "of the length term; the division by the group's standard deviation cancels it", .min = 0.0});
    v.field("min_length_std", min_length_std,
            {.help = "a group whose lengths vary less teaches nothing: 500 against 501 tokens would count in full",
             .min = 0.0,
             .unit = "tokens"});
    v.field("budget_tokens", budget_tokens,
            {.help = "length at which the term is 0; null = the run's limit", .min = 1.0, .unit = "tokens"});
  }

  // What the common fields must not contradict.
  void check(config::Visitor& v, const algorithms::ObjectiveConfig& common) const override {
    v.check(common.reward_weights.empty(), "reward_weights, name", "l_grpo computes its own reward");
    v.check(common.filter.keep == algorithms::KeepRule::all_correct, "filter.keep, name",
            "l_grpo trains on groups in which every completion is right; expected all_correct");
  }
};

class LGrpo final : public algorithms::Objective {
 public:
  LGrpo(const algorithms::ObjectiveConfig& common, LGrpoConfig own) : Objective(common), own_(own) {}

  void rewards(algorithms::Step& step) override {
    const auto limit = static_cast<double>(own_.budget_tokens.value_or(step.max_completion_tokens));
    if (limit <= 0) fail(ErrorKind::input, "l_grpo needs budget_tokens or max_completion_tokens");
    for (auto& group : step.groups) {
      const bool varies = length_std(group) >= own_.min_length_std;
      for (auto& sample : group.samples) {
        const double left = varies ? 1.0 - static_cast<double>(sample.length) / limit : 0.0;
        sample.reward = base_reward(sample) + own_.weight * left;
      }
    }
    shape_rewards(step);  // overlong shaping and the KL in the reward, where they are configured
  }

  algorithms::Metrics metrics(const algorithms::Step& step) const override {
    std::vector<double> deviations;
    double skipped = 0;
    for (const auto& group : step.groups) {
      deviations.push_back(length_std(group));
      skipped += deviations.back() < own_.min_length_std;
    }
    return {{"l_grpo/length_std", algorithms::mean_of(deviations)}, {"l_grpo/groups_without_signal", skipped}};
  }

 private:
  double length_std(const algorithms::Group& group) const {
    std::vector<double> lengths;
    for (const auto& sample : group.samples) lengths.push_back(static_cast<double>(sample.length));
    return algorithms::std_of(lengths, config().advantage.std);
  }

  LGrpoConfig own_;
};

}  // namespace

int main(int argc, char** argv) {
  algorithms::register_method(algorithms::method_of<LGrpo, LGrpoConfig>(
      "l_grpo", "L-GRPO: shorter answers, only where every answer is right", [](algorithms::ObjectiveConfig& common) {
        common.filter.keep = algorithms::KeepRule::all_correct;
        common.filter.max_rounds = 4;
      }));
  cli::Streams streams{std::cin, std::cout, std::cerr};
  return cli::run_main({argv + 1, argv + argc}, cli::all_commands(), streams);
}

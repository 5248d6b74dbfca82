// AdaptThink (arXiv 2505.13417): half of a prompt's completions must answer at once (their first token ends the
// thinking), the others must think (they begin with a start word), and the advantage is
//
//   A = delta [answered at once] + R - R_ref
//
// R is 1 for a right answer with exactly one end of thinking; R_ref is the mean R of the model before training,
// thinking as usual, computed ahead of training. No group statistics.
//
// The sampler did not draw the first token from the policy: its sampling probability is the share of its kind, and
// takes the place of the policy's old one. Under loss.ratio: sequence_mean (the released code, the default) the ratio
// stays near 1; under sequence_product (the paper's formula) a positive sample whose first token is improbable has a
// weight near 0, so that training is expected to stall.
#pragma once

#include <string>
#include <vector>

#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

enum class KindSplit { fixed, random };

struct AdaptThinkConfig : OwnConfig<AdaptThinkConfig> {
  double delta = 0.05;
  double no_thinking_share = 0.5;
  KindSplit split = KindSplit::fixed;
  std::vector<std::string> start_words = {"Alright"};
  std::optional<int64_t> no_thinking_max_tokens;
  std::optional<int64_t> thinking_max_tokens;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

class AdaptThink final : public Objective {
 public:
  AdaptThink(const ObjectiveConfig& common, AdaptThinkConfig own) : Objective(common), own_(std::move(own)) {}

  void prepare(const RunFacts& run) override;
  Needs needs() const override;
  std::vector<PlannedRequest> plan(const Group& prompt, uint64_t step) const override;
  void rewards(Step& step) override;
  void advantages(Step& step) override;
  Metrics metrics(const Step& step) const override;
  // Reference pass rates of recorded steps: {"pass_rates": {prompt_id: rate}}.
  nlohmann::json state() const override;
  void restore(const nlohmann::json& state) override;

 private:
  double pass_rate(const Group& group) const;
  const std::vector<int32_t>& start_ids(const Group& prompt) const;

  AdaptThinkConfig own_;
  uint64_t seed_ = 0;
  std::optional<int32_t> thinking_end_id_;
  std::vector<std::vector<int32_t>> start_ids_;  // parallel to start_words
  std::map<std::string, double> pass_rates_;
};

Method adapt_think_method();

}  // namespace laconic::algorithms

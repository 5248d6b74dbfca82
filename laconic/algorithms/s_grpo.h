// S-GRPO: serial-group decaying reward (arXiv 2505.07686). One completion is sampled in full; then its thinking is cut
// at random tokens, closed by an inducer, and answered from there. In the order of the cuts, the full one last, the
// first right answer has reward 1, the next one 1/2, and so on; wrong ones have 0:
//
//   r_j = 2^-(right answers so far, this one included, less 1) if right, else 0;      A_j = r_j - mean(r)
//
// The kept thinking is in the loss of every exit: all pressure on the length comes from there. group_size counts the
// full completion and group_size - 1 exits.
#pragma once

#include <string>
#include <vector>

#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

enum class InducerLoss { all, none, close_tag_only };
enum class ShortThinking { fewer_exits, repeat };

struct SGrpoConfig : OwnConfig<SGrpoConfig> {
  std::string inducer = "Time is limited, stop thinking and start answering.\n</think>\n\n";
  InducerLoss inducer_loss = InducerLoss::all;
  bool full_in_loss = true;
  double decay = 2.0;
  ShortThinking short_thinking = ShortThinking::fewer_exits;
  std::optional<int64_t> answer_max_tokens;
  void visit(config::Visitor& v) override;
  void check(config::Visitor& v, const ObjectiveConfig& common) const override;
};

// Indices of a group's samples in the order of their exits, the full one last.
std::vector<size_t> serial_order(const Group& group);

// `count` thinking tokens to keep, ascending, each uniform in 1 .. thinking_tokens: distinct, or (where there are fewer
// and `repeat` is asked for) with repetition. Fewer when there are fewer.
std::vector<int64_t> exit_positions(int64_t thinking_tokens, int64_t count, ShortThinking rule, uint64_t seed,
                                    uint64_t step, uint64_t prompt);

class SGrpo final : public Objective {
 public:
  SGrpo(const ObjectiveConfig& common, SGrpoConfig own) : Objective(common), own_(std::move(own)) {}

  void prepare(const RunFacts& run) override;
  std::vector<PlannedRequest> plan(const Group& prompt, uint64_t step) const override;
  int rounds() const override { return 2; }
  std::vector<PlannedContinuation> next_round(const Group& group, int round, uint64_t seed,
                                              uint64_t step) const override;
  void rewards(Step& step) override;
  void advantages(Step& step) override;
  Metrics metrics(const Step& step) const override;

 private:
  void mask_inducer(Sample& sample) const;

  SGrpoConfig own_;
  int64_t limit_ = 0;
  std::vector<int32_t> inducer_ids_;
};

Method s_grpo_method();

}  // namespace laconic::algorithms

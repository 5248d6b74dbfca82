// Instructions that a rule can check: every one of the prompt's must be followed.
#pragma once

#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

// The gold field holds the instructions (instruction_list.h); the graded text, trimmed where thinking was cut off, is
// the response. correct: all are followed; tests_passed: the share of those that are. format_ok: the thinking tags fit.
class InstructionsVerifier : public Verifier {
 public:
  explicit InstructionsVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "instructions"; }
  // "3 instructions".
  std::string gold_answer(std::string_view gold) const override;
  GoldUse gold_use(std::string_view gold) const override;

 private:
  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  bool loose_;
  bool skip_unsupported_;
};

}  // namespace laconic::rewards

// The built-in verifiers; make_verifier() builds them by name.
#pragma once

#include <string>
#include <string_view>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/options.h"
#include "laconic/rewards/policy.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

// The last \boxed{}, `#### n`, <answer> tag, "the answer is", the whole text, its last formula, its last number, in
// this order; compared by compare_answers(). An unevaluated expression that stands in the prompt is no answer.
// format_ok: the thinking tags fit, and the answer was marked (one of the first four).
class MathVerifier : public Verifier {
 public:
  explicit MathVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "math"; }
  std::string gold_answer(std::string_view gold) const override;

 private:
  Verdict judged(const Response& response, std::string_view answer, const std::string& expected) const;

  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  MathPolicy policy_;
};

// The graded text, trimmed, is the gold text. format_ok: the thinking tags fit.
class ExactVerifier : public Verifier {
 public:
  explicit ExactVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "exact"; }

 private:
  std::string fold(std::string_view text) const;

  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  bool ignore_case_;
  bool ignore_space_;
};

// The last number of the graded text has the gold's value. format_ok: the thinking tags fit.
class NumericVerifier : public Verifier {
 public:
  explicit NumericVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "numeric"; }

 private:
  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  EquivalenceOptions equivalence_;
};

// The rule of the procedural suite: exactly one </think>, and the text ends with \boxed{ d } and the end token. Correct
// when the format holds and d is the gold answer, character by character after trimming.
class BoxedExactVerifier : public Verifier {
 public:
  explicit BoxedExactVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "boxed_exact"; }

 private:
  bool require_thinking_end_;
  std::string end_text_;  // taken off the end of the text where the decoder kept it
};

}  // namespace laconic::rewards

#include "laconic/cli/answer_check.h"

#include <fmt/format.h>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/equivalence.h"

namespace laconic::cli {
namespace {

// A response whose answer is the gold answer, in the form that the verifier looks for.
std::string response_of(const std::string& verifier, const std::string& gold) {
  if (verifier == "math") return fmt::format("\\boxed{{{}}}", gold);
  if (verifier == "boxed_exact") return fmt::format("</think>\\boxed{{{}}}", gold);
  return gold;
}

}  // namespace

void AnswerCheck::declare(CommandLine& line) {
  line.option("verifier", "NAME",
              fmt::format("judge of the gold answers: {}; default that of the preset, math without one",
                          join(rewards::verifier_names(), ", ")));
}

AnswerCheck::AnswerCheck(const CommandLine& line, const std::string& verifier)
    : name_(line.choice("verifier", rewards::verifier_names(), verifier)), verifier_(rewards::make_verifier(name_)) {}

GoldAnswer AnswerCheck::of(const std::string& gold) const {
  if (name_ == "code") return {};  // its gold answers are tests, which no answer stands for
  if (rewards::has_structured_gold(name_)) {
    try {
      (void)verifier_->gold_use(gold);
      return {};
    } catch (const Error& error) {
      return {AnswerUse::rejected, error.what()};
    }
  }
  const std::string answer = verifier_->gold_answer(gold);
  const std::string response = response_of(name_, answer);
  const auto verdict = verifier_->verify({.text = response, .truncated = false, .prompt_text = {}}, gold);
  if (!verdict.correct) return {AnswerUse::rejected, verdict.reason};
  const bool as_text = name_ == "math" && !rewards::is_mathematics(answer);
  return {as_text ? AnswerUse::text : AnswerUse::usable, ""};
}

}  // namespace laconic::cli

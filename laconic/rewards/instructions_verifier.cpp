#include "laconic/rewards/instructions_verifier.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/characters.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"
#include "laconic/rewards/instruction_checks.h"

namespace laconic::rewards {
namespace {

constexpr size_t kMaxAnswer = 1024;

}  // namespace

InstructionsVerifier::InstructionsVerifier(OptionReader options)
    : thinking_(options.thinking()),
      truncated_is_wrong_(options.truncated_is_wrong()),
      loose_(options.choice("reading", {"strict", "loose"}, 0) == 1),
      skip_unsupported_(options.choice("unsupported", {"fail", "skip_prompt"}, 0) == 1) {
  options.finish();
}

GoldUse InstructionsVerifier::gold_use(std::string_view gold) const {
  const auto instructions = parse_instructions(gold);
  const auto* unsupported = first_unsupported(instructions);
  if (unsupported == nullptr) return {};
  if (skip_unsupported_) return {true, fmt::format("{} is not supported", unsupported->id)};
  fail(ErrorKind::unsupported,
       "the prompt asks for {}, which the verifier `instructions` cannot check (languages are not detected); the "
       "option unsupported: skip_prompt leaves such prompts out",
       unsupported->id);
}

std::string InstructionsVerifier::gold_answer(std::string_view gold) const {
  const size_t count = parse_instructions(gold).size();
  return fmt::format("{} {}", count, count == 1 ? "instruction" : "instructions");
}

Verdict InstructionsVerifier::verify(const Response& response, std::string_view gold) const {
  const auto use = gold_use(gold);
  if (use.skip) return not_graded(response, use.reason.c_str());
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  auto text = without_special_tokens(graded.text);  // and trimmed
  if (text.empty()) return not_graded(response, "the answer is empty");
  // A response that is given whole keeps its empty lines: lines are told apart by the loose reading.
  if (graded.text.size() == response.text.size() && text.size() == trim(graded.text).size()) text = graded.text;
  const std::string visible = without_invisible(text);
  text = visible;
  if (trim(text).empty()) return not_graded(response, "the answer is empty");
  const auto instructions = parse_instructions(gold);
  std::vector<std::string> broken;
  broken.reserve(instructions.size());
  for (const auto& instruction : instructions) {
    if (!(loose_ ? follows_loosely(instruction, text) : follows(instruction, text))) broken.push_back(instruction.id);
  }
  const size_t all = instructions.size(), followed = all - broken.size();
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = std::string(trim(text).substr(0, kMaxAnswer));
  verdict.format_ok = graded.tags_fit && !response.truncated;
  verdict.correct = broken.empty();
  verdict.tests_passed = static_cast<double>(followed) / static_cast<double>(all);
  verdict.reason = fmt::format("{} of {} {} followed", followed, all, all == 1 ? "instruction" : "instructions");
  if (!broken.empty()) verdict.reason += "; not " + join(broken, ", ");
  const bool cut = truncated_is_wrong_ && verdict.truncated;
  if (cut) verdict.tests_passed = 0;
  return settle(std::move(verdict), truncated_is_wrong_);
}

}  // namespace laconic::rewards

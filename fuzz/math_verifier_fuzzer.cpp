// libFuzzer target: a gold answer and a prediction, separated by a zero byte, graded under every policy. Findings are
// crashes, sanitizer reports, exceptions, verdicts that change when asked again, and answers that do not equal
// themselves although they read as mathematics.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/policy.h"
#include "laconic/rewards/terms.h"

namespace {

using laconic::rewards::Verifier;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<Verifier> verifiers[] = {
      laconic::rewards::make_verifier("math", {{"policy", "math_verify"}}),
      laconic::rewards::make_verifier("math", {{"policy", "strict"}}),
      laconic::rewards::make_verifier("math", {{"policy", "lenient"}})};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t split = std::min(input.find('\0'), input.size());
  const std::string_view gold = input.substr(0, split);
  const std::string_view prediction = split < input.size() ? input.substr(split + 1) : gold;
  for (const auto& verifier : verifiers) {
    const auto first = verifier->verify({.text = prediction, .truncated = false, .prompt_text = gold}, gold);
    const auto second = verifier->verify({.text = prediction, .truncated = false, .prompt_text = gold}, gold);
    require(first.correct == second.correct && first.answer == second.answer);
    require(!first.correct || first.answer_found);
  }
  if (laconic::rewards::is_mathematics(gold)) require(laconic::rewards::compare_answers(gold, gold).equal);
  const auto verdict = laconic::rewards::Verdict{};
  const laconic::rewards::TermInput term{prediction, gold, {}, 3, 10, &verdict};
  for (const auto& name : laconic::rewards::term_names()) {
    if (!laconic::rewards::is_group_term(name)) (void)laconic::rewards::term(name, term, {});
  }
  return 0;
}

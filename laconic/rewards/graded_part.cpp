#include "laconic/rewards/graded_part.h"

#include "laconic/rewards/extract.h"

namespace laconic::rewards {

GradedPart graded_part(const Response& response, ThinkingRule rule) {
  if (rule == ThinkingRule::ignore) return {response.text, true, nullptr};
  const auto tags = read_thinking(response.text, response.prompt_text);
  if (tags.open) return {{}, false, "thinking was not closed"};
  if (tags.closes == 0) {
    if (rule == ThinkingRule::required) return {{}, false, "no </think>"};
    return {response.text, true, nullptr};
  }
  return {tags.answer, tags.well_formed, nullptr};
}

Verdict not_graded(const Response& response, const char* reason) {
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.reason = reason;
  return verdict;
}

Verdict settle(Verdict verdict, bool truncated_is_wrong) {
  if (!truncated_is_wrong || !verdict.truncated || !verdict.correct) return verdict;
  verdict.correct = false;
  verdict.reason = "truncated";
  return verdict;
}

}  // namespace laconic::rewards

// The part of a response that is graded, as the option `thinking` of a verifier has it.
#pragma once

#include <string_view>

#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

struct GradedPart {
  std::string_view text;
  bool tags_fit = true;
  const char* reason = nullptr;  // set when nothing may be graded
};
GradedPart graded_part(const Response& response, ThinkingRule rule);

// The verdict on a response that holds nothing to be graded.
Verdict not_graded(const Response& response, const char* reason);

// The verdict as the option `truncated` has it: what met its limit is wrong, unless it is to be graded like any other.
Verdict settle(Verdict verdict, bool truncated_is_wrong);

}  // namespace laconic::rewards

#include "laconic/rewards/policy.h"

#include "laconic/core/base/error.h"

namespace laconic::rewards {

MathPolicy math_policy(std::string_view name) {
  MathPolicy policy;
  if (name == "strict") {
    policy.require_box = policy.one_box = true;
    policy.last_number = false;
    policy.equivalence = {.percent = PercentRule::exact,
                          .tolerance = 0,
                          .ordered_lists = true,
                          .simplified = true,
                          .rounded = false,
                          .loose = false};
  } else if (name == "lenient") {
    policy.equivalence.tolerance = 1e-4;
    policy.equivalence.rounded = policy.equivalence.loose = true;
  } else {
    LACONIC_CHECK(name == "math_verify", "no policy `{}`", name);
  }
  return policy;
}

std::vector<std::string> math_policy_names() {
  return {"math_verify", "strict", "lenient"};
}

}  // namespace laconic::rewards

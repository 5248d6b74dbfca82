#include "laconic/rewards/gold_check.h"

#include <utility>

#include "laconic/rewards/code_tests.h"

namespace laconic::rewards {

GoldChecker::GoldChecker(std::string verifier, const VerifierOptions& options) : name_(std::move(verifier)) {
  if (name_ != "code") verifier_ = make_verifier(name_, options);
}

GoldUse GoldChecker::of(std::string_view gold) const {
  if (verifier_ != nullptr) return verifier_->gold_use(gold);
  (void)parse_code_tests(gold);
  return {};
}

}  // namespace laconic::rewards

// Gold fields before a run: which prompts a verifier can judge.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

class GoldChecker {
 public:
  // Errors as of make_verifier(). No sandbox is needed for `code`: its tests are read, not run.
  GoldChecker(std::string verifier, const VerifierOptions& options);

  // Whether the prompt is to be left out; a gold text that cannot be used is an Error of kind input.
  GoldUse of(std::string_view gold) const;

 private:
  std::string name_;
  std::unique_ptr<Verifier> verifier_;  // null for `code`
};

}  // namespace laconic::rewards

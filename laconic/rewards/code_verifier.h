// Programs against tests: the solution in the last block of code of a response is run in a sandbox.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "laconic/rewards/code_program.h"
#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"
#include "laconic/sandbox/sandbox.h"

namespace laconic::rewards {

// correct: all tests of the gold field pass (code_tests.h). format_ok: the thinking tags fit, and there is a block of
// code. Making one finds out which sandbox works here; an Error of kind unsupported when none does and `sandbox: none`
// is not spelled out. A gold field without usable tests is an Error of kind input, a sandbox that breaks one of kind
// io.
class CodeVerifier : public Verifier {
 public:
  explicit CodeVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "code"; }
  std::string gold_answer(std::string_view gold) const override;

 private:
  struct Score {
    size_t passed = 0, all = 0;
    std::string first_failure;
  };
  Score run(const CodeTests& tests, std::string_view solution, Language language) const;

  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  std::optional<Language> language_;
  sandbox::SandboxOptions sandbox_;
  sandbox::Limits limits_, build_limits_;
  CodeTools tools_;
  OutputRule compare_;
  double all_seconds_;  // for all tests of a solution
  size_t most_tests_;   // 0: all
  bool stop_at_failure_;
};

}  // namespace laconic::rewards

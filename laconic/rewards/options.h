// Reading a verifier's options: every option must be consumed, so that none can be accepted and ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

// Which part of a response is graded.
enum class ThinkingRule {
  automatic,  // after the last </think> where there is one; nothing where thinking was opened and not closed
  required,   // after the last </think>; nothing where there is none
  ignore,     // the whole text
};

class OptionReader {
 public:
  OptionReader(std::string_view verifier, const VerifierOptions& options) : verifier_(verifier), options_(options) {}

  bool boolean(const std::string& name, bool fallback);
  double non_negative(const std::string& name, double fallback);
  std::string text(const std::string& name, const std::string& fallback);
  // Index of the value among the choices.
  size_t choice(const std::string& name, const std::vector<std::string>& choices, size_t fallback);
  ThinkingRule thinking();
  // truncated = wrong | graded (wrong): what a completion that met its limit can still be.
  bool truncated_is_wrong();

  // Throws when an option was given that nobody read.
  void finish() const;

 private:
  const std::string* find(const std::string& name);

  std::string verifier_;
  const VerifierOptions& options_;
  std::vector<std::string> known_;
};

}  // namespace laconic::rewards

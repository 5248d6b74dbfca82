// Whether a verifier can work with the gold answers of a set.
#pragma once

#include <memory>
#include <string>

#include "laconic/cli/command_line.h"
#include "laconic/rewards/verifier.h"

namespace laconic::cli {

enum class AnswerUse {
  usable,    // always of the verifier `code`
  text,      // not read as mathematics: only the same text is right
  rejected,  // the verifier does not even accept the answer itself, or cannot read it
};

struct GoldAnswer {
  AnswerUse use = AnswerUse::usable;
  std::string reason;  // why it is rejected
};

class AnswerCheck {
 public:
  // Declares --verifier.
  static void declare(CommandLine& line);
  // `verifier`: the one that the set's answers are for, where the line names none.
  AnswerCheck(const CommandLine& line, const std::string& verifier);

  GoldAnswer of(const std::string& gold) const;
  const std::string& verifier() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<rewards::Verifier> verifier_;
};

}  // namespace laconic::cli

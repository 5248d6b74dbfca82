// Alphametics such as SEND + MORE = MONEY: any digits that make the sum true are right.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

struct AlphameticPuzzle {
  std::vector<std::string> addends;  // upper-case words, at least one
  std::string sum;
  std::string letters;  // each once, in the order in which they appear; at most 10
};

// A gold field is the puzzle as a text, or an object with it as `puzzle`: words of letters with + and one =. Anything
// else is an Error of kind input.
AlphameticPuzzle parse_alphametic(std::string_view gold);

// The answer is the sum in digits (9567 + 1085 = 10652, or with the sum in front), or the letters' or words' digits
// (S=9, E=5, ...; SEND = 9567, ...; also : and -> between the two). It is marked (marked_answer.h); then it must not
// contradict itself. Otherwise the last sum counts, else the last digits of all letters. Different letters have
// different digits, no word begins with 0. format_ok: the thinking tags fit, and the answer was marked.
class AlphameticVerifier : public Verifier {
 public:
  explicit AlphameticVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "alphametic"; }
  std::string gold_answer(std::string_view gold) const override;
  GoldUse gold_use(std::string_view gold) const override;

 private:
  ThinkingRule thinking_;
  bool truncated_is_wrong_;
};

}  // namespace laconic::rewards

// Puzzles in which given numbers make a target: Countdown and the game of 24.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

struct NumbersPuzzle {
  std::vector<int64_t> numbers;  // never empty
  int64_t target = 0;
};

// What a gold field may be: {"numbers": [3, 4, 5], "target": 17}, with nums for numbers; the numbers may be a text
// ("3, 4, 5" or "3 4 5"). With a target of its own (the game of 24) the list or text of numbers alone, or an object
// whose target is that. Numbers are whole and not negative. Anything else is an Error of kind input.
NumbersPuzzle parse_numbers_puzzle(std::string_view gold, std::optional<int64_t> own_target = std::nullopt);

// The answer is a calculation (arithmetic.h) with the given numbers that makes the target; of an equation the left side
// counts (the second where the first is the target alone), and every other side must be the same value. The answer is
// marked (marked_answer.h), or it is the last formula or the last line. format_ok: the thinking tags fit, and the
// answer was marked.
class NumbersVerifier : public Verifier {
 public:
  // `name` is countdown or game_of_24.
  NumbersVerifier(std::string name, OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return name_; }
  // "3 4 5 -> 17".
  std::string gold_answer(std::string_view gold) const override;
  GoldUse gold_use(std::string_view gold) const override;

 private:
  NumbersPuzzle puzzle(std::string_view gold) const;
  // Why the answer is wrong; "" when it is right.
  std::string problem_of(std::string_view answer, const NumbersPuzzle& puzzle) const;

  std::string name_;
  ThinkingRule thinking_;
  bool truncated_is_wrong_;
  bool all_numbers_;  // each given number is used exactly once, or at most once
};

}  // namespace laconic::rewards

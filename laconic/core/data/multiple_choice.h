// A question with options, of which one is right: the options in an order of their own, the answer as a letter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::data {

struct MultipleChoice {
  std::string prompt;  // the question, an empty line, "A) ..." and so on
  std::string answer;  // the letter of the right option
};

// At most 26 options. Where each stands is a function of the seed and the question, so that it does not move when a set
// is filtered, sampled or mixed.
MultipleChoice multiple_choice(const std::string& question, const std::string& right,
                               const std::vector<std::string>& wrong, uint64_t seed);

}  // namespace laconic::data

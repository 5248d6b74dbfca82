// Sums in which letters stand for digits, with exactly one solution.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace laconic::data {

struct AlphameticOptions {
  int addends = 2;                            // 2..4
  int shortest_word = 3, longest_word = 4;    // letters of the addends, 1..8
  int fewest_letters = 4, most_letters = 10;  // different ones
};

struct AlphameticProblem {
  std::vector<std::string> addends;
  std::string sum;
  std::vector<std::pair<char, int>> digits;  // of each letter, in the order in which they appear

  std::string text() const;      // SEND + MORE = MONEY
  std::string solution() const;  // S=9, E=5, ...
};

// How many ways there are to give the letters different digits, no word beginning with 0, so that the sum is true;
// counted up to `most`, -1 when more than `nodes` digits were tried. Column by column from the right.
int count_alphametic_solutions(const std::vector<std::string>& addends, const std::string& sum, int most,
                               int64_t nodes);

// Problem `index` of the stream `seed`: a pure function of its arguments. Numbers are drawn and written in letters,
// until no other digits make the sum true.
AlphameticProblem alphametic_problem(const AlphameticOptions& options, uint64_t seed, uint64_t index);

std::string alphametic_prompt(const AlphameticProblem& problem);

}  // namespace laconic::data

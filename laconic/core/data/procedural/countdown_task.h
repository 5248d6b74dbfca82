// Number puzzles: given numbers and a target that an expression of them makes (Countdown, the game of 24).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::data {

struct NumbersProblem {
  std::vector<int> numbers;
  int target = 0;
  std::string solution;  // uses each number once: "(3 + 4) * 5"
};

struct CountdownOptions {
  int fewest_numbers = 3, most_numbers = 4;  // 2..6
  int largest_number = 99;                   // numbers are 1..
  int smallest_target = 10, largest_target = 99;
};

// Problem `index` of the stream `seed`: a pure function of its arguments. Numbers are drawn, and so is the way in which
// they are joined, every step of it a whole number above 0, until the result is a target.
NumbersProblem countdown_problem(const CountdownOptions& options, uint64_t seed, uint64_t index);

struct Game24Options {
  int largest_number = 13;  // four numbers are 1..
  bool fractions = false;   // only problems that need a fraction on the way
};

// Four numbers that make 24, found by search. A pure function of its arguments.
NumbersProblem game24_problem(const Game24Options& options, uint64_t seed, uint64_t index);

// The user's text.
std::string numbers_prompt(const NumbersProblem& problem);

}  // namespace laconic::data

#include "laconic/core/data/procedural/countdown_task.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/procedural/streams.h"

namespace laconic::data {
namespace {

constexpr int kMostDraws = 100000;

// A value that was made of some of the numbers. `strength` of the text: 0 sum, 1 product, 2 number.
struct Made {
  int64_t over = 0, under = 1;  // lowest terms, under > 0
  std::string text;
  int strength = 2;
};

// Parentheses where the text is weaker than its place asks for.
std::string inside(const Made& made, int needed) {
  return made.strength < needed ? "(" + made.text + ")" : made.text;
}

// a op b; nothing for a division by zero.
std::optional<Made> joined(const Made& a, const Made& b, char op) {
  Made made;
  switch (op) {
    case '+':
      made.over = a.over * b.under + b.over * a.under;
      made.under = a.under * b.under;
      break;
    case '-':
      made.over = a.over * b.under - b.over * a.under;
      made.under = a.under * b.under;
      break;
    case '*':
      made.over = a.over * b.over;
      made.under = a.under * b.under;
      break;
    default:
      if (b.over == 0) return std::nullopt;
      made.over = a.over * b.under;
      made.under = a.under * b.over;
  }
  if (made.under < 0) {
    made.over = -made.over;
    made.under = -made.under;
  }
  const int64_t common = std::gcd(std::abs(made.over), made.under);
  made.over /= common;
  made.under /= common;
  made.strength = op == '+' || op == '-' ? 0 : 1;
  const bool strict = op == '-' || op == '/';  // what stands behind must be stronger
  made.text = fmt::format("{} {} {}", inside(a, made.strength), op, inside(b, made.strength + (strict ? 1 : 0)));
  return made;
}

std::vector<Made> start(const std::vector<int>& numbers) {
  std::vector<Made> all;
  all.reserve(numbers.size());
  for (const int number : numbers) all.push_back({number, 1, std::to_string(number), 2});
  return all;
}

Made take(std::vector<Made>& all, Rng& rng) {
  const size_t at = rng.below(static_cast<uint32_t>(all.size()));
  std::swap(all[at], all.back());
  Made made = std::move(all.back());
  all.pop_back();
  return made;
}

// A random expression of all numbers whose steps are whole and above 0; nothing when a draw does not fit.
std::optional<Made> random_expression(const std::vector<int>& numbers, Rng& rng) {
  constexpr int64_t kLargest = 1'000'000;
  auto all = start(numbers);
  while (all.size() > 1) {
    const Made a = take(all, rng), b = take(all, rng);
    auto made = joined(a, b, "+-*/"[rng.below(4)]);
    if (!made || made->under != 1 || made->over < 1 || made->over > kLargest) return std::nullopt;
    all.push_back(std::move(*made));
  }
  return std::move(all.front());
}

// Joins two of the values in every way until `target` is left; `fractions`: whether values on the way may be no whole
// numbers.
std::optional<std::string> search(const std::vector<Made>& values, int64_t target, bool fractions) {
  if (values.size() == 1) {
    if (values[0].under == 1 && values[0].over == target) return values[0].text;
    return std::nullopt;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values.size(); ++j) {
      if (i == j) continue;
      std::vector<Made> rest;
      rest.reserve(values.size());
      for (size_t k = 0; k < values.size(); ++k) {
        if (k != i && k != j) rest.push_back(values[k]);
      }
      for (const char op : {'+', '-', '*', '/'}) {
        if (i > j && (op == '+' || op == '*')) continue;
        auto made = joined(values[i], values[j], op);
        if (!made || (!fractions && made->under != 1)) continue;
        rest.push_back(std::move(*made));
        if (auto found = search(rest, target, fractions)) return found;
        rest.pop_back();
      }
    }
  }
  return std::nullopt;
}

std::string listed(const std::vector<int>& numbers) {
  std::vector<std::string> words;
  words.reserve(numbers.size());
  for (const int number : numbers) words.push_back(std::to_string(number));
  return join(words, ", ");
}

}  // namespace

NumbersProblem countdown_problem(const CountdownOptions& options, uint64_t seed, uint64_t index) {
  LACONIC_CHECK(options.fewest_numbers >= 2 && options.fewest_numbers <= options.most_numbers &&
                    options.most_numbers <= 6 && options.largest_number >= 1 && options.smallest_target >= 1 &&
                    options.smallest_target <= options.largest_target,
                "unusable options of countdown");
  Rng rng(DrawPurpose::procedural_data, {seed, kCountdownStream, index});
  const int count = rng.between(options.fewest_numbers, options.most_numbers);
  NumbersProblem problem;
  problem.numbers.resize(static_cast<size_t>(count));
  for (int draw = 0; draw < kMostDraws; ++draw) {
    for (int& number : problem.numbers) number = rng.between(1, options.largest_number);
    const auto made = random_expression(problem.numbers, rng);
    if (!made || made->over < options.smallest_target || made->over > options.largest_target) continue;
    problem.target = static_cast<int>(made->over);
    problem.solution = made->text;
    return problem;
  }
  fail(ErrorKind::usage, "countdown: numbers up to {} hardly ever make a target from {} to {}; widen one of them",
       options.largest_number, options.smallest_target, options.largest_target);
}

NumbersProblem game24_problem(const Game24Options& options, uint64_t seed, uint64_t index) {
  LACONIC_CHECK(options.largest_number >= 1, "unusable options of game_of_24");
  constexpr int kTarget = 24;
  Rng rng(DrawPurpose::procedural_data, {seed, kGame24Stream, index});
  NumbersProblem problem;
  problem.target = kTarget;
  problem.numbers.resize(4);
  for (int draw = 0; draw < kMostDraws; ++draw) {
    for (int& number : problem.numbers) number = rng.between(1, options.largest_number);
    const auto values = start(problem.numbers);
    if (options.fractions && search(values, kTarget, /*fractions=*/false)) continue;
    if (auto found = search(values, kTarget, /*fractions=*/true)) {
      problem.solution = std::move(*found);
      return problem;
    }
  }
  fail(ErrorKind::usage, "game_of_24: numbers up to {} hardly ever make 24{}; raise the largest number",
       options.largest_number, options.fractions ? " by fractions alone" : "");
}

std::string numbers_prompt(const NumbersProblem& problem) {
  return fmt::format(
      "Make {} out of the numbers {}: use each of them exactly once, with +, -, * and / and parentheses. Write the "
      "expression between <answer> and </answer>, for example <answer>(1 + 2) * 3</answer>.",
      problem.target, listed(problem.numbers));
}

}  // namespace laconic::data

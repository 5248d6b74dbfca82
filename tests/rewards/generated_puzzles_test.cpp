// Every generated problem's own solution is accepted by its verifier; what was changed in it is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "laconic/core/base/rng.h"
#include "laconic/core/data/procedural/alphametic_task.h"
#include "laconic/core/data/procedural/countdown_task.h"
#include "laconic/core/data/procedural/sudoku_task.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {
namespace {

constexpr uint64_t kProblems = 40;

bool right(const Verifier& verifier, const std::string& gold, const std::string& answer) {
  return verifier.verify({"<answer>" + answer + "</answer>", false, {}}, gold).correct;
}

// A digit of the text becomes another one.
std::string mutated(std::string text, Rng& rng, char lowest, char highest) {
  for (;;) {
    char& c = text[rng.below(static_cast<uint32_t>(text.size()))];
    if (c < lowest || c > highest) continue;
    const char before = c;
    while (c == before) c = static_cast<char>(rng.between(lowest, highest));
    return text;
  }
}

void check_numbers(const Verifier& verifier, const data::NumbersProblem& problem, Rng& rng) {
  const auto gold = nlohmann::json{{"numbers", problem.numbers}, {"target", problem.target}}.dump();
  EXPECT_TRUE(right(verifier, gold, problem.solution)) << gold << problem.solution;
  EXPECT_TRUE(right(verifier, gold, problem.solution + " = " + std::to_string(problem.target)));
  EXPECT_FALSE(right(verifier, gold, problem.solution + " = " + std::to_string(problem.target + 1)));
  EXPECT_FALSE(right(verifier, gold, mutated(problem.solution, rng, '0', '9'))) << gold << problem.solution;
  EXPECT_FALSE(right(verifier, gold, std::to_string(problem.target)));
  EXPECT_FALSE(right(verifier, gold, problem.solution + " + 1 - 1"));
}

TEST(GeneratedPuzzles, Countdown) {
  const auto verifier = make_verifier("countdown");
  Rng rng(DrawPurpose::tie_break, {1});
  for (uint64_t i = 0; i < kProblems; ++i) {
    data::CountdownOptions options;
    options.fewest_numbers = options.most_numbers = 2 + static_cast<int>(i % 5);
    check_numbers(*verifier, data::countdown_problem(options, 7, i), rng);
  }
}

TEST(GeneratedPuzzles, GameOf24) {
  const auto verifier = make_verifier("game_of_24");
  Rng rng(DrawPurpose::tie_break, {2});
  for (uint64_t i = 0; i < kProblems; ++i) check_numbers(*verifier, data::game24_problem({}, 7, i), rng);
  check_numbers(*verifier, data::game24_problem({13, true}, 7, 0), rng);
}

TEST(GeneratedPuzzles, Sudoku) {
  const auto verifier = make_verifier("sudoku");
  Rng rng(DrawPurpose::tie_break, {3});
  for (const int size : {4, 6, 9}) {
    for (uint64_t i = 0; i < kProblems / 4; ++i) {
      const auto problem = data::sudoku_problem({size, size * size / 2}, 7, i);
      const auto gold = problem.puzzle.text(), solution = problem.solution.text();
      EXPECT_TRUE(right(*verifier, gold, solution)) << gold << solution;
      EXPECT_FALSE(right(*verifier, gold, mutated(solution, rng, '1', static_cast<char>('0' + size))));
      EXPECT_FALSE(right(*verifier, gold, gold));
    }
  }
}

TEST(GeneratedPuzzles, Alphametic) {
  const auto verifier = make_verifier("alphametic");
  Rng rng(DrawPurpose::tie_break, {4});
  for (uint64_t i = 0; i < kProblems; ++i) {
    const auto problem = data::alphametic_problem({}, 7, i);
    EXPECT_TRUE(right(*verifier, problem.text(), problem.solution())) << problem.text();
    EXPECT_FALSE(right(*verifier, problem.text(), mutated(problem.solution(), rng, '0', '9')));
  }
}

}  // namespace
}  // namespace laconic::rewards

// Procedural puzzles: reproducible, within their options, with one solution where that is promised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "laconic/core/data/procedural/alphametic_task.h"
#include "laconic/core/data/procedural/countdown_task.h"
#include "laconic/core/data/procedural/sudoku_task.h"
#include "tests/support/error_of.h"

namespace laconic::data {
namespace {

using testing::HasSubstr;

TEST(Puzzles, AreFunctionsOfSeedAndIndex) {
  const auto all = [](uint64_t seed, uint64_t index) {
    return countdown_problem({}, seed, index).solution + "|" + game24_problem({}, seed, index).solution + "|" +
           sudoku_problem({4, 8}, seed, index).puzzle.text() + "|" + alphametic_problem({}, seed, index).text();
  };
  std::set<std::string> different;
  for (const uint64_t seed : {0, 1}) {
    for (const uint64_t index : {0, 1, 2}) {
      EXPECT_EQ(all(seed, index), all(seed, index));
      different.insert(all(seed, index));
    }
  }
  EXPECT_EQ(different.size(), 6U);
}

// What stands here is what files and runs hold: it never changes.
TEST(Puzzles, KeepTheirDraws) {
  EXPECT_EQ(countdown_problem({}, 0, 0).solution, "53 + 95 - 76");
  EXPECT_EQ(game24_problem({}, 0, 0).solution, "13 - 5 + 13 + 3");
  EXPECT_EQ(sudoku_problem({4, 8}, 0, 0).puzzle.text(), ".4..\n2.4.\n32.4\n4.2.");
  EXPECT_EQ(alphametic_problem({}, 0, 0).text(), "BMFM + ZFM = FUBZ");
}

TEST(Countdown, KeepsToItsOptions) {
  CountdownOptions options{3, 6, 25, 100, 999};
  for (uint64_t i = 0; i < 50; ++i) {
    const auto problem = countdown_problem(options, 1, i);
    EXPECT_THAT(problem.numbers.size(), testing::AllOf(testing::Ge(3U), testing::Le(6U)));
    EXPECT_THAT(problem.numbers, testing::Each(testing::AllOf(testing::Ge(1), testing::Le(25))));
    EXPECT_THAT(problem.target, testing::AllOf(testing::Ge(100), testing::Le(999)));
  }
  options = {2, 2, 2, 900, 999};
  EXPECT_THAT(error_of([&] { countdown_problem(options, 1, 0); }), HasSubstr("hardly ever make a target"));
}

TEST(Sudoku, HasOneSolution) {
  for (const int size : {4, 6, 9}) {
    const auto problem = sudoku_problem({size, 81}, 3, 0);
    SudokuBoard found;
    EXPECT_EQ(count_solutions(problem.puzzle, 2, 100000, &found), 1);
    EXPECT_EQ(found, problem.solution);
    EXPECT_GT(problem.blanks, size * size / 3);
    EXPECT_EQ(count_solutions(problem.solution, 2, 100000), 1);
    SudokuBoard empty;
    empty.size = size;
    EXPECT_EQ(count_solutions(empty, 2, 100000), 2);
    EXPECT_EQ(count_solutions(empty, 1000000, 100), -1) << "bounded";
    auto broken = problem.solution;
    broken.cells[0] = broken.cells[1];
    EXPECT_EQ(count_solutions(broken, 2, 100000), 0);
  }
  EXPECT_EQ(sudoku_problem({9, 20}, 3, 0).blanks, 20);
}

TEST(Alphametic, HasOneSolution) {
  EXPECT_EQ(count_alphametic_solutions({"SEND", "MORE"}, "MONEY", 2, 1000000), 1);
  EXPECT_EQ(count_alphametic_solutions({"A", "B"}, "C", 1000, 1000000), 32);
  EXPECT_EQ(count_alphametic_solutions({"AA", "AA"}, "AA", 2, 1000000), 0);
  EXPECT_EQ(count_alphametic_solutions({"ABCDE", "FGHIJ"}, "ABCDEF", 1000000, 50), -1) << "bounded";
  for (uint64_t i = 0; i < 20; ++i) {
    const auto problem = alphametic_problem({3, 2, 5, 6, 9}, 3, i);
    EXPECT_EQ(problem.addends.size(), 3U);
    EXPECT_EQ(count_alphametic_solutions(problem.addends, problem.sum, 2, 10000000), 1);
    EXPECT_THAT(problem.digits.size(), testing::AllOf(testing::Ge(6U), testing::Le(9U)));
  }
  EXPECT_THAT(error_of([] { alphametic_problem({2, 1, 1, 10, 10}, 3, 0); }), HasSubstr("hardly ever"));
}

}  // namespace
}  // namespace laconic::data

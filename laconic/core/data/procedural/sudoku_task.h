// Sudoku puzzles of 4, 6 and 9 rows with exactly one solution.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace laconic::data {

struct SudokuBoard {
  int size = 9;                     // 4, 6 or 9
  std::array<uint8_t, 81> cells{};  // row by row; 0 = blank

  int count() const { return size * size; }
  // Rows of digits, blanks as `.`.
  std::string text() const;
  bool operator==(const SudokuBoard&) const = default;
};

struct SudokuOptions {
  int size = 9;
  int blanks = 45;  // cells to be emptied; fewer where one more would allow a second solution
};

struct SudokuProblem {
  SudokuBoard puzzle, solution;
  int blanks = 0;
};

// How many solutions there are, counted up to `most`; -1 when more than `nodes` cells were tried. `first`: where the
// first solution is put. Blank cells with the fewest candidates come first.
int count_solutions(const SudokuBoard& board, int most, int64_t nodes, SudokuBoard* first = nullptr);

// Problem `index` of the stream `seed`: a pure function of its arguments. A full grid by random filling, then cells are
// emptied in random order as long as the solution stays the only one.
SudokuProblem sudoku_problem(const SudokuOptions& options, uint64_t seed, uint64_t index);

std::string sudoku_prompt(const SudokuProblem& problem);

}  // namespace laconic::data

#include "laconic/core/data/procedural/sudoku_task.h"

#include <fmt/format.h>

#include <bit>
#include <numeric>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/data/procedural/streams.h"

namespace laconic::data {
namespace {

constexpr int64_t kNodes = 20000;  // tried cells of one search
constexpr int kMostDraws = 1000;

int box_of(int size, int row, int column) {
  const int rows = size == 9 ? 3 : 2, columns = size == 4 ? 2 : 3;
  return row / rows * (size / columns) + column / columns;
}

// Depth-first search with the digits that rows, columns and boxes still lack as bit sets. At most 81 levels.
class Solver {
 public:
  Solver(const SudokuBoard& board, int most, int64_t nodes) : board_(board), most_(most), nodes_(nodes) {
    const auto all = static_cast<uint16_t>(((1 << board.size) - 1) << 1);
    rows_.fill(all);
    columns_.fill(all);
    boxes_.fill(all);
    for (int cell = 0; cell < board.count(); ++cell) {
      const int digit = board_.cells[static_cast<size_t>(cell)];
      if (digit == 0) continue;
      if ((candidates(cell) & (1 << digit)) == 0) broken_ = true;
      flip(cell, digit);
    }
  }

  // In the order of the digits, or in an order drawn anew for each cell.
  int run(Rng* rng, SudokuBoard* first) {
    if (broken_) return 0;
    rng_ = rng;
    first_ = first;
    search();
    return nodes_ < 0 ? -1 : found_;
  }

 private:
  size_t row(int cell) const { return static_cast<size_t>(cell / board_.size); }
  size_t column(int cell) const { return static_cast<size_t>(cell % board_.size); }
  size_t box(int cell) const {
    return static_cast<size_t>(box_of(board_.size, cell / board_.size, cell % board_.size));
  }
  uint16_t candidates(int cell) const {
    return static_cast<uint16_t>(rows_[row(cell)] & columns_[column(cell)] & boxes_[box(cell)]);
  }
  void flip(int cell, int digit) {
    const auto bit = static_cast<uint16_t>(1 << digit);
    rows_[row(cell)] ^= bit;
    columns_[column(cell)] ^= bit;
    boxes_[box(cell)] ^= bit;
  }

  // The blank cell with the fewest candidates; -1 when there is none.
  int narrowest() const {
    int best = -1, fewest = 10;
    for (int cell = 0; cell < board_.count(); ++cell) {
      if (board_.cells[static_cast<size_t>(cell)] != 0) continue;
      const int count = std::popcount(candidates(cell));
      if (count >= fewest) continue;
      best = cell;
      fewest = count;
      if (count <= 1) break;
    }
    return best;
  }

  void search() {
    if (--nodes_ < 0) return;
    const int cell = narrowest();
    if (cell < 0) {
      if (found_++ == 0 && first_ != nullptr) *first_ = board_;
      return;
    }
    std::vector<int> digits;
    digits.reserve(9);
    const auto open = candidates(cell);
    for (int digit = 1; digit <= board_.size; ++digit) {
      if ((open & (1 << digit)) != 0) digits.push_back(digit);
    }
    if (rng_ != nullptr) rng_->shuffle(digits);
    for (const int digit : digits) {
      board_.cells[static_cast<size_t>(cell)] = static_cast<uint8_t>(digit);
      flip(cell, digit);
      search();
      flip(cell, digit);
      board_.cells[static_cast<size_t>(cell)] = 0;
      if (found_ >= most_ || nodes_ < 0) return;
    }
  }

  SudokuBoard board_;
  int most_, found_ = 0;
  int64_t nodes_;
  bool broken_ = false;
  Rng* rng_ = nullptr;
  SudokuBoard* first_ = nullptr;
  std::array<uint16_t, 9> rows_{}, columns_{}, boxes_{};
};

SudokuBoard full_grid(int size, Rng& rng) {
  SudokuBoard empty, full;
  empty.size = size;
  for (int draw = 0; draw < kMostDraws; ++draw) {
    if (Solver(empty, 1, kNodes).run(&rng, &full) == 1) return full;
  }
  fail(ErrorKind::internal, "sudoku: no full grid was found in {} searches", kMostDraws);
}

}  // namespace

std::string SudokuBoard::text() const {
  std::string text;
  for (int cell = 0; cell < count(); ++cell) {
    const int digit = cells[static_cast<size_t>(cell)];
    text += digit == 0 ? '.' : static_cast<char>('0' + digit);
    if ((cell + 1) % size == 0 && cell + 1 < count()) text += '\n';
  }
  return text;
}

int count_solutions(const SudokuBoard& board, int most, int64_t nodes, SudokuBoard* first) {
  return Solver(board, most, nodes).run(nullptr, first);
}

SudokuProblem sudoku_problem(const SudokuOptions& options, uint64_t seed, uint64_t index) {
  LACONIC_CHECK(options.size == 4 || options.size == 6 || options.size == 9, "sudoku of size {}", options.size);
  Rng rng(DrawPurpose::procedural_data, {seed, kSudokuStream, static_cast<uint64_t>(options.size), index});
  SudokuProblem problem;
  problem.solution = full_grid(options.size, rng);
  problem.puzzle = problem.solution;
  std::vector<int> order(static_cast<size_t>(problem.puzzle.count()));
  std::iota(order.begin(), order.end(), 0);
  rng.shuffle(order);
  for (const int cell : order) {
    if (problem.blanks >= options.blanks) break;
    auto& digit = problem.puzzle.cells[static_cast<size_t>(cell)];
    const auto before = digit;
    digit = 0;
    if (count_solutions(problem.puzzle, 2, kNodes) == 1) {
      ++problem.blanks;
    } else {
      digit = before;
    }
  }
  return problem;
}

std::string sudoku_prompt(const SudokuProblem& problem) {
  const int size = problem.puzzle.size;
  return fmt::format(
      "Solve this sudoku: every row, column and {} x {} box holds each of the digits 1 to {} once; a dot is a blank "
      "cell.\n\n{}\n\nWrite the full grid between <answer> and </answer>, one row on each line.",
      size == 9 ? 3 : 2, size == 4 ? 2 : 3, size, problem.puzzle.text());
}

}  // namespace laconic::data

// Sudoku of 4, 6 or 9 rows: any full grid that keeps the clues and the rules is right.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "laconic/rewards/options.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

// Boxes have 2 x 2, 2 x 3 (rows x columns) or 3 x 3 cells.
struct SudokuGrid {
  int size = 0;                     // 4, 6 or 9
  std::array<uint8_t, 81> cells{};  // row by row; 0 = blank

  int box_rows() const { return size == 9 ? 3 : 2; }
  int box_columns() const { return size == 4 ? 2 : 3; }
  int at(int row, int column) const {
    return cells[static_cast<size_t>(row) * static_cast<size_t>(size) + static_cast<size_t>(column)];
  }
};

// A gold field is the puzzle as a text (16, 36 or 81 cells in any layout; blanks are 0 . _ * or, where the cells do not
// add up otherwise, -), as a list of rows, or an object with either as `puzzle`. Clues that break the rules and
// anything else are Errors of kind input.
SudokuGrid parse_sudoku(std::string_view gold);

// The last full grid of a text: `size` lines with so many digits each, or one line with all of them. Between digits may
// stand white space and | - + , [ ] ( ) { } & \ ; : and lines of a box, and LaTeX's \begin{array}{...}, \end{array},
// \hline; empty lines and lines without digits may stand between rows.
std::optional<SudokuGrid> last_sudoku_grid(std::string_view text, int size);

// The first broken rule in words ("5 stands twice in row 3"); "" when there is none. Blanks break none.
std::string broken_rule(const SudokuGrid& grid);

// The answer is the last full grid, in the last \boxed{} or <answer> tag where there is one. format_ok: the thinking
// tags fit, and the answer was marked by one of the two.
class SudokuVerifier : public Verifier {
 public:
  explicit SudokuVerifier(OptionReader options);
  Verdict verify(const Response& response, std::string_view gold) const override;
  std::string name() const override { return "sudoku"; }
  // "9 x 9, 30 clues".
  std::string gold_answer(std::string_view gold) const override;
  GoldUse gold_use(std::string_view gold) const override;

 private:
  ThinkingRule thinking_;
  bool truncated_is_wrong_;
};

}  // namespace laconic::rewards

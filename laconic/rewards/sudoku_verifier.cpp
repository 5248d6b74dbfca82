#include "laconic/rewards/sudoku_verifier.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostCells = 81;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The cells of a puzzle; `dashes` are blanks, or separators.
std::string cells_of(std::string_view puzzle, bool dashes) {
  std::string cells;
  for (const char c : puzzle) {
    if (is_digit(c)) cells += c;
    if (c == '.' || c == '_' || c == '*' || (dashes && c == '-')) cells += '0';
  }
  return cells;
}

int size_of(size_t cells) {
  return cells == 16 ? 4 : cells == 36 ? 6 : cells == 81 ? 9 : 0;
}

std::string rows_text(const Json& rows) {
  std::string text;
  for (const auto& row : rows) text += (row.is_string() ? row.get<std::string>() : row.dump()) + "\n";
  return text;
}

// The length of a LaTeX command around a grid at the beginning of a text, as \hline, \end{array}, \begin{array}{c|c}; 0
// where there is none.
size_t grid_command(std::string_view text) {
  constexpr std::string_view kLine = "\\hline";
  if (text.starts_with(kLine)) return kLine.size();
  const bool begins = text.starts_with("\\begin{");
  if (!begins && !text.starts_with("\\end{")) return 0;
  const size_t name = text.find('}');
  if (name == std::string_view::npos) return 0;
  const bool columns = begins && text.substr(name + 1).starts_with('{');
  const size_t end = columns ? text.find('}', name + 1) : name;
  return end == std::string_view::npos ? 0 : end + 1;
}

// Digits of a line that holds nothing else but separators; nothing of any other line.
std::optional<std::string> digits_of(std::string_view line) {
  std::string digits;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (is_digit(c)) {
      digits += c;
      if (digits.size() > kMostCells) return std::nullopt;
    } else if (line.substr(i).starts_with("\xE2\x94") || line.substr(i).starts_with("\xE2\x95")) {
      i += 2;  // box drawing
    } else if (const size_t command = c == '\\' ? grid_command(line.substr(i)) : 0; command > 0) {
      i += command - 1;
    } else if (std::string_view(" \t\r|-+=,[](){}&\\;:\"'`").find(c) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return digits;
}

SudokuGrid grid_of(std::string_view digits, int size) {
  SudokuGrid grid;
  grid.size = size;
  for (size_t i = 0; i < digits.size(); ++i) grid.cells[i] = static_cast<uint8_t>(digits[i] - '0');
  return grid;
}

bool is_full(std::string_view digits, int size) {
  return std::all_of(digits.begin(), digits.end(), [size](char c) { return c >= '1' && c <= '0' + size; });
}

// The unit (row, column or box) `number` of `kind` 0, 1, 2: its `i`-th cell.
int cell_of(const SudokuGrid& grid, int kind, int number, int i) {
  if (kind == 0) return grid.at(number, i);
  if (kind == 1) return grid.at(i, number);
  const int columns = grid.box_columns(), across = grid.size / columns;
  return grid.at(number / across * grid.box_rows() + i / columns, number % across * columns + i % columns);
}

std::string broken_clue(const SudokuGrid& puzzle, const SudokuGrid& answer) {
  for (int row = 0; row < puzzle.size; ++row) {
    for (int column = 0; column < puzzle.size; ++column) {
      const int clue = puzzle.at(row, column), found = answer.at(row, column);
      if (clue != 0 && clue != found)
        return fmt::format("the clue {} in row {}, column {} has become {}", clue, row + 1, column + 1, found);
    }
  }
  return "";
}

}  // namespace

SudokuGrid parse_sudoku(std::string_view gold) {
  auto text = std::string(trim(gold));
  const bool json = (text.starts_with('{') || text.starts_with('[')) && json_levels(text) <= kMaxJsonLevels;
  Json value = json ? Json::parse(text, nullptr, /*allow_exceptions=*/false) : Json();
  if (value.is_object()) value = value.value("puzzle", Json());
  if (value.is_string()) text = value.get<std::string>();
  if (value.is_array()) text = rows_text(value);
  auto cells = cells_of(text, false);
  if (size_of(cells.size()) == 0) cells = cells_of(text, true);
  const int size = size_of(cells.size());
  std::replace(text.begin(), text.end(), '\n', ' ');  // messages are one line
  if (size == 0)
    fail(ErrorKind::input, "the puzzle in the gold field: expected 16, 36 or 81 cells, found {}: {}", cells.size(),
         text.substr(0, 80));
  const auto grid = grid_of(cells, size);
  const auto most = *std::max_element(grid.cells.begin(), grid.cells.end());
  if (most > size)
    fail(ErrorKind::input, "the puzzle in the gold field: expected digits up to {}, found {}", size, int{most});
  if (const auto rule = broken_rule(grid); !rule.empty())
    fail(ErrorKind::input, "the puzzle in the gold field has no solution: {}", rule);
  return grid;
}

std::optional<SudokuGrid> last_sudoku_grid(std::string_view text, int size) {
  const auto row_cells = static_cast<size_t>(size), all = row_cells * row_cells;
  std::optional<SudokuGrid> last;
  std::string rows;  // of the block of lines at hand
  const auto close = [&] {
    if (rows.size() >= all && rows.size() % all == 0)
      last = grid_of(std::string_view(rows).substr(rows.size() - all), size);
    rows.clear();
  };
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto digits = digits_of(text.substr(begin, end - begin));
    begin = end + 1;
    if (digits && digits->empty()) continue;
    const bool full = digits && is_full(*digits, size);
    if (full && digits->size() == row_cells) {
      rows += *digits;
    } else {
      close();
      if (full && digits->size() == all) last = grid_of(*digits, size);
    }
  }
  close();
  return last;
}

std::string broken_rule(const SudokuGrid& grid) {
  constexpr std::array<const char*, 3> kNames = {"row", "column", "box"};
  for (int kind = 0; kind < 3; ++kind) {
    for (int number = 0; number < grid.size; ++number) {
      std::array<bool, 10> seen{};
      for (int i = 0; i < grid.size; ++i) {
        const int digit = cell_of(grid, kind, number, i);
        if (digit == 0) continue;
        if (seen[static_cast<size_t>(digit)])
          return fmt::format("{} stands twice in {} {}", digit, kNames[static_cast<size_t>(kind)], number + 1);
        seen[static_cast<size_t>(digit)] = true;
      }
    }
  }
  return "";
}

SudokuVerifier::SudokuVerifier(OptionReader options)
    : thinking_(options.thinking()), truncated_is_wrong_(options.truncated_is_wrong()) {
  options.finish();
}

std::string SudokuVerifier::gold_answer(std::string_view gold) const {
  const auto puzzle = parse_sudoku(gold);
  const auto clues = std::count_if(puzzle.cells.begin(), puzzle.cells.end(), [](uint8_t c) { return c != 0; });
  return fmt::format("{0} x {0}, {1} clues", puzzle.size, clues);
}

GoldUse SudokuVerifier::gold_use(std::string_view gold) const {
  (void)parse_sudoku(gold);
  return {};
}

Verdict SudokuVerifier::verify(const Response& response, std::string_view gold) const {
  const auto puzzle = parse_sudoku(gold);
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  const auto box = last_box(graded.text);
  if (box.state == BoxState::unclosed) return not_graded(response, "the last \\boxed{ is not closed");
  const auto tag = answer_tag(graded.text);
  const bool marked = box.state == BoxState::closed || tag.has_value();
  const auto region = box.state == BoxState::closed ? box.content : tag.value_or(graded.text);
  const auto grid = last_sudoku_grid(region, puzzle.size);
  if (!grid) return not_graded(response, "no full grid found");
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  for (int i = 0; i < puzzle.size * puzzle.size; ++i)
    verdict.answer += static_cast<char>('0' + grid->cells[static_cast<size_t>(i)]);
  verdict.format_ok = graded.tags_fit && marked && !response.truncated;
  verdict.reason = broken_clue(puzzle, *grid);
  if (verdict.reason.empty()) verdict.reason = broken_rule(*grid);
  verdict.correct = verdict.reason.empty();
  if (verdict.correct) verdict.reason = "solves the puzzle";
  return settle(std::move(verdict), truncated_is_wrong_);
}

}  // namespace laconic::rewards

#include "laconic/trainers/puzzle_config.h"

namespace laconic::trainers {
namespace {

void visit_numbers(config::Visitor& v, data::CountdownOptions& o) {
  v.field("fewest_numbers", o.fewest_numbers, {.help = "given numbers of a problem", .min = 2.0, .max = 6.0});
  v.field("most_numbers", o.most_numbers, {.help = "given numbers of a problem", .min = 2.0, .max = 6.0});
  v.field("largest_number", o.largest_number, {.help = "numbers are drawn from 1 to", .min = 1.0, .max = 1000.0});
  v.field("smallest_target", o.smallest_target, {.help = "targets lie from", .min = 1.0, .max = 1000000.0});
  v.field("largest_target", o.largest_target, {.help = "targets lie up to", .min = 1.0, .max = 1000000.0});
  v.check(o.fewest_numbers <= o.most_numbers, "fewest_numbers, most_numbers", "no number of numbers lies between them");
  v.check(o.smallest_target <= o.largest_target, "smallest_target, largest_target", "no target lies between them");
}

void visit_game24(config::Visitor& v, data::Game24Options& o) {
  v.field("largest_card", o.largest_number, {.help = "four numbers are drawn from 1 to", .min = 3.0, .max = 100.0});
  v.field("fractions", o.fractions, {.help = "only problems that cannot be solved without a fraction on the way"});
}

void visit_sudoku(config::Visitor& v, data::SudokuOptions& o) {
  v.field("size", o.size, {.help = "rows: 4, 6 or 9", .min = 4.0, .max = 9.0});
  v.field(
      "blanks", o.blanks,
      {.help = "cells that are emptied; fewer where one more would allow a second solution", .min = 1.0, .max = 81.0});
  v.check(o.size == 4 || o.size == 6 || o.size == 9, "size", "expected 4, 6 or 9");
}

void visit_alphametic(config::Visitor& v, data::AlphameticOptions& o) {
  v.field("addends", o.addends, {.help = "words in front of the equals sign", .min = 2.0, .max = 4.0});
  v.field("shortest_word", o.shortest_word, {.help = "letters of an addend", .min = 2.0, .max = 8.0});
  v.field("longest_word", o.longest_word, {.help = "letters of an addend", .min = 2.0, .max = 8.0});
  v.field("fewest_letters", o.fewest_letters, {.help = "different letters of a problem", .min = 2.0, .max = 10.0});
  v.field("most_letters", o.most_letters, {.help = "different letters of a problem", .min = 2.0, .max = 10.0});
  v.check(o.shortest_word <= o.longest_word, "shortest_word, longest_word", "no length lies between them");
  v.check(o.fewest_letters <= o.most_letters, "fewest_letters, most_letters", "no number of letters lies between them");
}

}  // namespace

void visit_puzzle(config::Visitor& v, data::PuzzleOptions& options) {
  using data::PuzzleKind;
  v.choice("kind", options.kind,
           {{"countdown", PuzzleKind::countdown},
            {"game_of_24", PuzzleKind::game_of_24},
            {"sudoku", PuzzleKind::sudoku},
            {"alphametic", PuzzleKind::alphametic}},
           {.help = "the puzzle; the verifier of its answers has the same name"});
  if (const auto block = v.when(options.kind == PuzzleKind::countdown, "kind: countdown"))
    visit_numbers(v, options.countdown);
  if (const auto block = v.when(options.kind == PuzzleKind::game_of_24, "kind: game_of_24"))
    visit_game24(v, options.game_of_24);
  if (const auto block = v.when(options.kind == PuzzleKind::sudoku, "kind: sudoku")) visit_sudoku(v, options.sudoku);
  if (const auto block = v.when(options.kind == PuzzleKind::alphametic, "kind: alphametic"))
    visit_alphametic(v, options.alphametic);
}

void PuzzleSection::visit(config::Visitor& v) {
  visit_puzzle(v, options);
  v.field("problems", problems,
          {.help = "training draws from so many problems, the same for every seed; 0 = without end", .min = 0.0});
  v.field("evaluation", evaluation, {.help = "problems of an evaluation, the same for every seed", .min = 1.0});
}

}  // namespace laconic::trainers

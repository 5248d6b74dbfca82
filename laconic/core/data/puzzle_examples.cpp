#include "laconic/core/data/puzzle_examples.h"

#include <fmt/format.h>

namespace laconic::data {
namespace {

void fill(Example& example, const NumbersProblem& problem) {
  example.prompt = numbers_prompt(problem);
  example.answer = nlohmann::ordered_json{{"numbers", problem.numbers}, {"target", problem.target}}.dump();
  example.columns = {{"numbers", problem.numbers}, {"target", problem.target}, {"solution", problem.solution}};
}

void fill(Example& example, const SudokuProblem& problem) {
  example.prompt = sudoku_prompt(problem);
  example.answer = problem.puzzle.text();
  example.columns = {{"puzzle", problem.puzzle.text()},
                     {"size", problem.puzzle.size},
                     {"blanks", problem.blanks},
                     {"solution", problem.solution.text()}};
}

void fill(Example& example, const AlphameticProblem& problem) {
  example.prompt = alphametic_prompt(problem);
  example.answer = problem.text();
  example.columns = {{"puzzle", problem.text()}, {"letters", problem.digits.size()}, {"solution", problem.solution()}};
}

}  // namespace

const std::vector<std::string>& puzzle_names() {
  static const std::vector<std::string> kNames = {"countdown", "game_of_24", "sudoku", "alphametic"};
  return kNames;
}

const char* to_string(PuzzleKind kind) {
  return puzzle_names()[static_cast<size_t>(kind)].c_str();
}

Example puzzle_example(const PuzzleOptions& options, uint64_t seed, uint64_t index) {
  Example example;
  switch (options.kind) {
    case PuzzleKind::countdown:
      fill(example, countdown_problem(options.countdown, seed, index));
      break;
    case PuzzleKind::game_of_24:
      fill(example, game24_problem(options.game_of_24, seed, index));
      break;
    case PuzzleKind::sudoku:
      fill(example, sudoku_problem(options.sudoku, seed, index));
      break;
    case PuzzleKind::alphametic:
      fill(example, alphametic_problem(options.alphametic, seed, index));
      break;
  }
  example.id = fmt::format("{}:{}:{}", to_string(options.kind), seed, index);
  example.messages = {{"user", example.prompt}};
  example.source = fmt::format("procedural:{}", to_string(options.kind));
  return example;
}

}  // namespace laconic::data

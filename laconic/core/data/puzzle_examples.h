// Procedural puzzles as ordinary examples: prompts of plain text for a chat template, gold answers for the verifiers of
// the same names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laconic/core/data/dataset.h"
#include "laconic/core/data/procedural/alphametic_task.h"
#include "laconic/core/data/procedural/countdown_task.h"
#include "laconic/core/data/procedural/sudoku_task.h"

namespace laconic::data {

enum class PuzzleKind { countdown, game_of_24, sudoku, alphametic };

// countdown, game_of_24, sudoku, alphametic.
const std::vector<std::string>& puzzle_names();
const char* to_string(PuzzleKind kind);

struct PuzzleOptions {
  PuzzleKind kind = PuzzleKind::countdown;
  CountdownOptions countdown;
  Game24Options game_of_24;
  SudokuOptions sudoku;
  AlphameticOptions alphametic;
};

// Example `index` of the stream `seed`, a pure function of its arguments. id "countdown:<seed>:<index>", answer what
// the verifier takes as gold field, columns {"solution", ...}: with `<answer>` around it, an answer that is right.
Example puzzle_example(const PuzzleOptions& options, uint64_t seed, uint64_t index);

}  // namespace laconic::data

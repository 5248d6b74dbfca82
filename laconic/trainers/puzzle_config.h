// Procedural puzzles as the prompts of a run.
#pragma once

#include "laconic/core/config/visitor.h"
#include "laconic/core/data/puzzle_examples.h"

namespace laconic::trainers {

struct PuzzleSection {
  data::PuzzleOptions options;
  int problems = 0;      // training draws from so many problems, the same for every seed; 0 = without end
  int evaluation = 200;  // held-out problems of an evaluation, the same for every seed
  void visit(config::Visitor& v);
};

// The fields of `kind`, without those of the run.
void visit_puzzle(config::Visitor& v, data::PuzzleOptions& options);

}  // namespace laconic::trainers

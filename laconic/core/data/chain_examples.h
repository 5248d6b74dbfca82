// The procedural chain task as ordinary examples. Prompts are raw text that holds its own special tokens (<bos> ...
// <think>): encode them as they are, without a chat template and without adding special tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "laconic/core/data/dataset.h"
#include "laconic/core/data/procedural/chain_sft.h"
#include "laconic/core/data/procedural/chain_task.h"

namespace laconic::data {

// id "chain:<start>:<operations>", answer a digit, columns {"grade", "steps"}, no messages.
Example chain_example(const ChainProblem& problem, const ChainAnswers& answers = {});

// Problems 0 .. count-1 of the training stream `seed`.
std::vector<Example> chain_training_examples(size_t count, uint64_t seed);

// The held-out set: `per_grade` problems of each grade, easy first. One-step problems repeat (there are 12).
std::vector<Example> chain_held_out_examples(int per_grade, uint64_t seed);

}  // namespace laconic::data

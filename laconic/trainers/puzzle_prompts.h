// Prompts of procedural puzzles.
#pragma once

#include <memory>

#include "laconic/trainers/prompts.h"

namespace laconic::trainers {

// make_prompt_source() for source: puzzle. A puzzle is made when its prompt is asked for.
std::unique_ptr<PromptSource> make_puzzle_prompts(const DataSection& section, uint64_t seed,
                                                  const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                  int64_t max_prompt_tokens);

}  // namespace laconic::trainers

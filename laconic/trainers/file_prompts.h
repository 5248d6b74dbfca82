// Prompts out of files: one set or several mixed, shuffled or by a curriculum.
#pragma once

#include <memory>

#include "laconic/trainers/prompts.h"

namespace laconic::trainers {

// make_prompt_source() for source: file.
std::unique_ptr<PromptSource> make_file_prompts(const DataSection& section, uint64_t seed,
                                                const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                int64_t max_prompt_tokens, const RewardSection& reward);

}  // namespace laconic::trainers

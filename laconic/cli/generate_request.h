// One line of `laconic generate` as requests to the rollout engine, and completions as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laconic/cli/fields.h"
#include "laconic/cli/model_folder.h"
#include "laconic/core/rollout/request.h"

namespace laconic::cli {

// The fields that a line may have.
const std::vector<std::string>& generate_fields();

struct GenerateDefaults {
  uint64_t seed = 0;
  bool entropy = false;
};

// Tokens drawn where a line has no max_tokens (fewer where the model's window ends before).
inline constexpr int64_t kDefaultMaxTokens = 256;
inline constexpr int64_t kMostSamples = 65536;  // of one line

// The request of each sample of a line: they differ in their identity alone, which is (seed, line index, sample).
std::vector<rollout::Request> read_requests(const Fields& fields, int64_t line_index, const ModelFolder& folder,
                                            const GenerateDefaults& defaults);

// {ids, text, logprobs, entropies?, finish_reason, forced}. `text` is null without a tokenizer; a token that ended the
// completion as a stop id is not part of it, and it ends before the stop string that was found.
Json completion_json(const rollout::Completion& completion, const rollout::Request& request, const ModelFolder& folder);

}  // namespace laconic::cli

// What is asked of the rollout engine and what it gives back. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/ops/sampler.h"

namespace laconic::rollout {

using ops::SamplingParams;

// Tokens of an earlier completion that a continuation begins with, with what is known of them.
struct KeptTokens {
  std::vector<int32_t> ids;
  std::vector<float> logprobs;    // parallel to ids
  std::vector<float> entropies;   // parallel to ids, or empty
  std::vector<uint8_t> forced;    // parallel to ids
  std::optional<int64_t> parent;  // the request they came from: its cache is reused where it is still held
};

struct Request {
  std::vector<int32_t> prompt;         // at least one id
  KeptTokens kept;                     // usually none
  std::vector<int32_t> forced_prefix;  // ids that follow the prompt and the kept tokens and are not drawn
  SamplingParams sampling;
  int64_t max_tokens = 256;       // forced and drawn tokens; kept ones do not count
  std::vector<int32_t> stop_ids;  // a drawn one ends the completion and is its last token
  std::vector<std::string>
      stop_strings;  // likewise, once the drawn text holds one; needs EngineOptions::make_text_stream
  bool want_entropy = false;
  bool retain = false;    // hold the cache after the end, for continuations, until release()
  DrawIdentity identity;  // who draws: fixes every random number of this completion
};

enum class FinishReason { stop, length, cancelled };
const char* to_string(FinishReason reason);

struct Completion {
  int64_t request = 0;           // what submit() returned
  std::vector<int32_t> ids;      // kept, forced and drawn tokens
  std::vector<float> logprobs;   // of each, at the sampling temperature and truncation; of forced ones as well
  std::vector<float> entropies;  // nats, full vocabulary, at the sampling temperature; empty unless asked for
  std::vector<uint8_t> forced;   // 1 where the token was not drawn
  FinishReason finish = FinishReason::stop;
  int64_t drawn = 0;  // tokens drawn by this request
};

}  // namespace laconic::rollout

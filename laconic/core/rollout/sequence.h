// A request on its way through the engine.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "laconic/core/rollout/request.h"
#include "laconic/core/rollout/stop_text.h"

namespace laconic::rollout {

// A prompt that several requests share: computed once by its leader, adopted by the others.
struct SharedPrompt {
  std::vector<int32_t> ids;
  std::vector<int32_t> pages;  // held by this record once ready
  at::Tensor last_hidden;      // [hidden] of the last prompt token, before the final norm; set once ready
  bool ready = false;
  int64_t leader = -1;  // the request that computes it now; -1: none
  int64_t waiting = 0;  // requests of this prompt that are not running
};

struct Sequence {
  int64_t id = 0;
  Request request;
  std::shared_ptr<SharedPrompt> prompt;  // shared with the other requests of the prompt
  std::vector<int32_t> tokens;           // prompt, kept, forced and drawn ones
  Completion completion;                 // logprobs may be shorter than ids: forced tokens that are not scored yet
  int64_t limit = 0;                     // of completion.ids
  int64_t cached = 0;                    // leading tokens whose keys and values are in the pages
  std::vector<int32_t> pages;
  bool starts_from_prompt = false;  // its first token follows from the prompt's hidden state, without a row
  bool cancelled = false;
  std::unique_ptr<StopText> stop_text;  // null without stop strings

  int64_t prompt_tokens() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t known() const { return static_cast<int64_t>(tokens.size()); }
  int64_t completed() const { return static_cast<int64_t>(completion.ids.size()); }
  int64_t scored() const { return static_cast<int64_t>(completion.logprobs.size()); }
};

}  // namespace laconic::rollout

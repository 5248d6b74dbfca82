// The "post_processor" of a tokenizer.json for single texts: the ids put before and behind the text's own.
#pragma once

#include <cstdint>
#include <vector>

#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

struct PostProcessor {
  std::vector<int32_t> prefix;
  std::vector<int32_t> suffix;
};

// TemplateProcessing, ByteLevel (which concerns offsets only), Sequence, null. Others are Errors of kind unsupported.
PostProcessor make_post_processor(const Node& node);

}  // namespace laconic::text

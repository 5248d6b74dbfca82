// JSON on a worker's channel.
#pragma once

#include <string>
#include <string_view>

#include "laconic/rewards/external/batch.h"

namespace laconic::rewards {

// One line. Bytes that are no UTF-8 become U+FFFD.
std::string json_line(const Json& value);

// The object that the line is; null for anything else.
Json parse_object(std::string_view line);

// A completion as functions see it: the text, or a list of one message where prompts are messages.
Json completion_json(const Batch& batch, const BatchSample& sample);

}  // namespace laconic::rewards

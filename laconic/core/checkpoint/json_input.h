// JSON and CBOR out of the files of a checkpoint, which may be damaged or another program's. What is wrong is an Error
// of kind input.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace laconic::checkpoint {

// Reading and copying a tree is recursive: one that is nested deeper than kMaxJsonLevels is refused before it is made.
// A text that is no JSON is the parser's exception. `file`: its name, for messages.
nlohmann::json parse_json(const char* file, const std::string& text);
nlohmann::json parse_cbor(const char* file, const std::string& bytes);

// The whole number under `key`, from `least` to `most`: nothing that a conversion would have to change. That it is
// missing is the parser's exception.
int64_t whole_number(const char* file, const nlohmann::json& from, const char* key, int64_t least = 0,
                     int64_t most = INT64_MAX);

}  // namespace laconic::checkpoint

// JSON as the filters read and write it: one object per line.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::cli {

using Json = nlohmann::ordered_json;

// Levels that a line may be nested, so that recursion over it is safe.
inline constexpr int kMaxJsonDepth = 200;

// Stricter than JSON, where readers disagree: a key twice in one object, text that is not UTF-8 and more than
// kMaxJsonDepth levels are refused. Errors are of kind input and name the byte (counted from 1) or the key.
Json parse_object(std::string_view text);

// The fields of an object that parse_object() has read, in its order, as they stand in the text: `"key": value`, so
// that a field can be passed on without any change to its spelling (0.10, 12345678901234567890123, \u00e9).
std::vector<std::string_view> raw_fields(std::string_view object);

// The text of a value on one line. Doubles are written in the shortest form that reads back to the same bits; bytes
// that are not UTF-8 become U+FFFD. A number that is not finite is an Error of kind numeric that names it: JSON has
// none.
std::string dump_line(const Json& value);

// A list of f32 numbers that print in the shortest form that reads back to the same f32 value. Minus infinity, the
// logprob of a token that cannot be drawn, becomes the string "-Infinity"; anything else that is not finite is an
// Error of kind numeric that begins with `what`.
Json float_list(std::span<const float> values, std::string_view what);

}  // namespace laconic::cli

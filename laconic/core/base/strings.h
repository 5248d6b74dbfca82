// Small text helpers shared by every room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace laconic {

std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);

// Number of insertions, deletions, replacements and swaps of neighbours that turn a into b.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, or "" when none is near enough to be a likely misspelling.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// " (did you mean `x`?)" or "": appended to messages about unknown names.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// Bytes of the first invalid UTF-8 sequence, or npos when the text is valid (RFC 3629: no surrogates, no overlong
// forms).
size_t first_invalid_utf8(std::string_view text);

// Levels of brackets of a JSON text, whether or not it is one. What reads a tree is recursive: a text from elsewhere is
// held against kMaxJsonLevels before it is made into one.
inline constexpr size_t kMaxJsonLevels = 200;
size_t json_levels(std::string_view text);

// The words of a JSON parser's error without the name of the exception: "parse error at line 1, column 3: ...".
std::string parser_reason(std::string_view what);

// "1.2 GiB", "35 MB/s"-style figures: three significant digits with a binary unit.
std::string human_bytes(double bytes);
// "950", "12.3k", "4.56M".
std::string human_count(double count);
// "4.2 s", "3 min 05 s", "2 h 10 min".
std::string human_duration(double seconds);

}  // namespace laconic

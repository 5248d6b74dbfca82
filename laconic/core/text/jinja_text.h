// Python's string operations on UTF-8 text. Positions and lengths count code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::text::jinja {

size_t count_characters(std::string_view text);
// Byte offset of character `index`; the size of the text where it has no more than that many.
size_t byte_offset(std::string_view text, size_t index);

bool is_python_space(char32_t c);  // str.isspace: White_Space and the four separators U+001C .. U+001F
// The length of the white space that `text` begins with.
size_t leading_space(std::string_view text);
std::string_view strip_right_space(std::string_view text);

enum class Side { left, right, both };
// Without `characters` white space goes, else any of those characters.
std::string_view strip(std::string_view text, std::optional<std::string_view> characters, Side side);

// str.split and rsplit: `limit` < 0 means no limit. Without separator at runs of white space. The separator, where
// given, is not empty.
std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t limit);
std::vector<std::string> split_from_right(std::string_view text, std::optional<std::string_view> separator,
                                          int64_t limit);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends);

// At most `limit` replacements where limit >= 0. An empty `from` stands before every character and at the end.
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit);
size_t count_matches(std::string_view text, std::string_view part);

// Columns of spaces up to the next multiple of `width`; lines start anew.
std::string expand_tabs(std::string_view text, int64_t width);

// & < > ' " as HTML entities.
std::string escape_html(std::string_view text);

}  // namespace laconic::text::jinja

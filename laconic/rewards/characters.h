// Characters as Python's str has them, for rules that are defined in its terms. Character data comes from utf8proc.
#pragma once

#include <string>
#include <string_view>

namespace laconic::rewards {

// Code points; each byte that is no part of valid UTF-8 becomes U+FFFD.
std::u32string code_points(std::string_view utf8);
void append_utf8(char32_t c, std::string& out);

// The text without characters that cannot be seen (Unicode's default ignorable ones: zero-width spaces, soft hyphens,
// ...), with which words could be hidden, split or made of nothing. Joiners between letters of other scripts than
// ASCII's stay: they are part of their spelling.
std::string without_invisible(std::string_view utf8);

bool is_space(char32_t c);  // str.isspace
bool is_word(char32_t c);   // \w: letters, numbers of every kind, underscore
bool is_digit(char32_t c);  // \d: decimal digits of every script
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
char32_t lower(char32_t c);  // one character to one

std::u32string lower(std::u32string_view text);
std::u32string_view strip(std::u32string_view text);
std::u32string_view strip(std::u32string_view text, char32_t c);
// str.isupper and str.islower: at least one character has a case, and none has the other.
bool all_upper(std::u32string_view text);
bool all_lower(std::u32string_view text);

// Places where `part`, which is not empty, stands in the text, without overlaps.
size_t occurrences(std::u32string_view text, std::u32string_view part);
// Whether `part` stands somewhere between two word boundaries (\b).
bool contains_word(std::u32string_view text, std::u32string_view part);

}  // namespace laconic::rewards

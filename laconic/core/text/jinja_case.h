// Upper, lower and title case as Python's str has them, full mappings included (one character may become several), and
// its questions about characters.
#pragma once

#include <string>
#include <string_view>

namespace laconic::text::jinja {

std::string upper_case(std::string_view text);
std::string lower_case(std::string_view text);  // with the final form of sigma
std::string title_case(std::string_view text);
std::string capitalized(std::string_view text);
std::string swapped_case(std::string_view text);
std::string folded_case(std::string_view text);

// str.islower, isupper, istitle.
bool is_lower_case(std::string_view text);
bool is_upper_case(std::string_view text);
bool is_title_case(std::string_view text);

bool is_alphabetic(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);  // also super- and subscripts and circled digits
bool is_printable(char32_t c);

}  // namespace laconic::text::jinja

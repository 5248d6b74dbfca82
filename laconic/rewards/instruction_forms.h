// Marks in a response that IFEval counts: paragraphs, bullets, highlights and others, as its regular expressions find
// them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace laconic::rewards {

// Parts between dividers ***; nothing when one in the middle is empty.
std::optional<size_t> count_divided_paragraphs(std::u32string_view text);

// There are `count` paragraphs between empty lines, and number `nth` (from 1) begins with the word, given in lower
// case.
bool paragraph_begins(std::u32string_view text, size_t count, size_t nth, std::u32string_view word);

size_t count_placeholders(std::u32string_view text);  // [address], on one line
size_t count_bullets(std::u32string_view text);       // lines that begin with * (not **) or -
size_t count_highlights(std::u32string_view text);    // *highlighted* and **highlighted**
// `splitter` and a number, such as "Section 1".
size_t count_sections(std::u32string_view text, std::u32string_view splitter);
bool has_title(std::u32string_view text);         // <<title>>, on one line
bool is_two_responses(std::u32string_view text);  // two different texts around ******

}  // namespace laconic::rewards

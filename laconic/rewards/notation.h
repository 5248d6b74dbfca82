// From the many ways of writing an answer to one: what the parser reads.
#pragma once

#include <string>
#include <string_view>

namespace laconic::rewards {

// Stands in front of a word that was set as text (\text{cm}) and so is no product of variables.
inline constexpr char kTextMark = '\x02';

struct Notation {
  std::string text;
  std::string currency;  // "dollar", "euro", ...: a currency sign that stood in the text
};

// Removes what changes no value (math delimiters, spacing and sizing commands, Markdown, wrappers such as \boxed and
// \mathbf), writes Unicode symbols and synonyms as one LaTeX command each, repairs doubled backslashes and commands
// that run into a letter (\lex), and keeps only what follows the last \implies. Linear, never throws.
Notation plain_notation(std::string_view text);

// A form of words in which case, punctuation and articles do not count: "The capital is Paris." -> "capital is paris".
std::string words_key(std::string_view text);

}  // namespace laconic::rewards

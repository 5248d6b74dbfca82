// The tokens of an answer in plain notation (notation.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace laconic::rewards {

struct Token {
  enum class Type {
    end,
    number,   // digits with at most one point: "12", "0.5", ".5"; the text may hold thousands separators
    word,     // a run of letters
    command,  // \name, without the backslash; \{ \} and \| have the name { } and |
    sign,     // any other single character
    row_end,  // the \\ of a matrix
  };
  Type type = Type::end;
  std::string_view text;
  bool spaced = false;  // white space stood in front of it
  bool words = false;   // word: was set as text
  size_t begin = 0, end = 0;

  bool is_sign(char c) const { return type == Type::sign && text[0] == c; }
  bool is_word(std::string_view word) const { return type == Type::word && text == word; }
  bool is_command(std::string_view name) const { return type == Type::command && text == name; }
  bool at_end() const { return type == Type::end; }
};

// The token at or after position `at`. `thousands` allows separators inside numbers.
Token next_token(std::string_view text, size_t at, bool thousands);

}  // namespace laconic::rewards

// Template source to tokens, with the settings that chat templates are written for: trim_blocks (a newline behind a
// block tag goes) and lstrip_blocks (white space before a block tag on its own line goes), {%- -%} {%+ +%} on top.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::text::jinja {

enum class TokenKind : uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  floating,
  symbol,
  end,
};

struct Token {
  TokenKind kind;
  int line;
  std::string text;  // data, name, symbol; of a string its value
  int64_t integer = 0;
  double floating = 0;

  bool is_symbol(std::string_view wanted) const { return kind == TokenKind::symbol && text == wanted; }
  bool is_name(std::string_view wanted) const { return kind == TokenKind::name && text == wanted; }
};

// Comments, raw blocks and newlines are dealt with. `source` must be valid UTF-8. The last token is `end`.
// Throws Failure with the line.
std::vector<Token> tokenize(std::string_view source);

// The value of a string literal's inside, as Python's "unicode-escape" reads it.
std::string unescape(std::string_view text);

}  // namespace laconic::text::jinja

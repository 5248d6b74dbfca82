#include "laconic/rewards/lexer.h"

#include <cctype>

#include "laconic/rewards/notation.h"

namespace laconic::rewards {
namespace {

bool is_digit(std::string_view text, size_t at) {
  return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
}
bool is_letter(std::string_view text, size_t at) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return std::isalpha(byte) != 0 || byte >= 0x80;
}

// True when exactly three digits follow.
bool group_at(std::string_view text, size_t at) {
  return is_digit(text, at) && is_digit(text, at + 1) && is_digit(text, at + 2) && !is_digit(text, at + 3);
}

size_t number_end(std::string_view text, size_t at, bool thousands) {
  const size_t begin = at;
  while (is_digit(text, at)) ++at;
  const size_t digits = at - begin;
  if (thousands && digits >= 1 && digits <= 3 && text[begin] != '0' && at < text.size()) {
    const char separator = text[at];  // "1,234,567" or "1 234 567"
    while ((separator == ',' || separator == ' ') && at < text.size() && text[at] == separator &&
           group_at(text, at + 1))
      at += 4;
  }
  if (at < text.size() && text[at] == '.' && (is_digit(text, at + 1) || digits > 0)) {
    ++at;
    while (is_digit(text, at)) ++at;
  }
  return at;
}

}  // namespace

Token next_token(std::string_view text, size_t at, bool thousands) {
  Token token;
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) {
    token.spaced = true;
    ++at;
  }
  token.begin = token.end = at;
  if (at == text.size()) return token;
  if (text[at] == kTextMark) {
    token.words = true;
    ++at;
  }
  size_t end = at + 1;
  if (is_digit(text, at) || (at < text.size() && text[at] == '.' && is_digit(text, at + 1))) {
    token.type = Token::Type::number;
    end = number_end(text, at, thousands);
  } else if (is_letter(text, at)) {
    token.type = Token::Type::word;
    while (is_letter(text, end)) ++end;
  } else if (at < text.size() && text[at] == '\\') {
    token.type = Token::Type::command;
    ++at;
    end = at;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end == at && end < text.size()) {
      if (text[end] == '\\') token.type = Token::Type::row_end;
      ++end;
    }
  } else {
    token.type = Token::Type::sign;
  }
  token.text = text.substr(at, end - at);
  token.end = end;
  if (token.text.empty()) token.type = token.type == Token::Type::command ? token.type : Token::Type::end;
  return token;
}

}  // namespace laconic::rewards

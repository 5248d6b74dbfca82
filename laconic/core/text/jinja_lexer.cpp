#include "laconic/core/text/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_number.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// All newlines as \n; one at the end of the template does not count.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalized(source)) {}

  std::vector<Token> run() {
    try {
      while (at_ < source_.size()) text();
    } catch (Failure& failure) {
      if (failure.line == 0) failure.line = line_;
      throw;
    }
    tokens_.push_back({TokenKind::end, line_, ""});
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool next_is(std::string_view text) const { return rest().starts_with(text); }
  char peek(size_t offset = 0) const { return at_ + offset < source_.size() ? source_[at_ + offset] : '\0'; }

  void advance(size_t count) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_ + count), '\n'));
    at_ += count;
    at_line_start_ = count > 0 && source_[at_ - 1] == '\n';
  }

  void push(TokenKind kind, std::string text) { tokens_.push_back({kind, line_, std::move(text)}); }

  // Template text up to the next tag, and that tag.
  void text() {
    size_t begin = at_;
    while ((begin = source_.find('{', begin)) != std::string::npos) {
      const char second = begin + 1 < source_.size() ? source_[begin + 1] : '\0';
      if (second == '{' || second == '%' || second == '#') break;
      ++begin;
    }
    if (begin == std::string::npos) {
      push(TokenKind::data, std::string(rest()));
      return advance(source_.size() - at_);
    }
    const char kind = source_[begin + 1];
    const char sign = begin + 2 < source_.size() ? source_[begin + 2] : '\0';
    put_data(begin, sign, kind != '{');
    const bool has_sign = sign == '-' || sign == '+';
    if (kind == '%' && raw()) return;
    const TokenKind tag = kind == '{' ? TokenKind::variable_begin : TokenKind::block_begin;
    if (kind != '#') push(tag, "");
    tag_line_ = line_;
    advance(has_sign ? 3 : 2);
    if (kind == '#') {
      comment();
    } else {
      expression(tag == TokenKind::block_begin);
    }
  }

  // The text before a tag at `end`, without the white space that the tag takes.
  void put_data(size_t end, char sign, bool strips_line) {
    const auto whole = std::string_view(source_).substr(at_, end - at_);
    auto data = whole;
    if (sign == '-') {
      data = strip_right_space(whole);
    } else if (sign != '+' && strips_line) {
      const size_t newline = whole.rfind('\n');
      const size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
      const auto indent = whole.substr(line_begin);
      if ((line_begin > 0 || at_line_start_) && leading_space(indent) == indent.size()) {
        data = whole.substr(0, line_begin);
      }
    }
    if (!data.empty()) push(TokenKind::data, std::string(data));
    advance(whole.size());
  }

  // The length of "-%}" with the white space behind it, "+%}" or "%}" with a newline behind it, where one of them
  // begins at `at`; else 0.
  size_t close_length(size_t at, std::string_view close, bool plus, bool trims_newline) const {
    const auto here = std::string_view(source_).substr(at);
    if (here.starts_with('-') && here.substr(1).starts_with(close)) {
      return 1 + close.size() + leading_space(here.substr(1 + close.size()));
    }
    if (plus && here.starts_with('+') && here.substr(1).starts_with(close)) return 1 + close.size();
    if (!here.starts_with(close)) return 0;
    return close.size() + (trims_newline && here.substr(close.size()).starts_with('\n') ? 1 : 0);
  }

  // The length of a tag like "{%- raw -%}" at `at`, or 0.
  size_t keyword_tag_length(size_t at, std::string_view keyword, bool plus, bool trims_newline) const {
    size_t i = at + 2;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    i += leading_space(std::string_view(source_).substr(std::min(i, source_.size())));
    if (!std::string_view(source_).substr(std::min(i, source_.size())).starts_with(keyword)) return 0;
    i += keyword.size();
    i += leading_space(std::string_view(source_).substr(i));
    const size_t close = close_length(i, "%}", plus, trims_newline);
    return close == 0 ? 0 : i + close - at;
  }

  bool raw() {
    const size_t length = keyword_tag_length(at_, "raw", false, false);
    if (length == 0) return false;
    const int begin_line = line_;
    advance(length);
    if (at_ == source_.size()) return true;  // as for comments
    for (size_t end = source_.find("{%", at_); end != std::string::npos; end = source_.find("{%", end + 2)) {
      const size_t tag = keyword_tag_length(end, "endraw", true, true);
      if (tag == 0) continue;
      put_data(end, end + 2 < source_.size() ? source_[end + 2] : '\0', true);
      advance(tag);
      return true;
    }
    throw Failure{ErrorKind::input, "Missing end of raw directive", begin_line};
  }

  void comment() {
    if (at_ == source_.size()) return;  // jinja2 misses the end of a comment only where one has begun
    const size_t close = source_.find("#}", at_);
    if (close == std::string::npos) throw Failure{ErrorKind::input, "Missing end of comment tag", tag_line_};
    const char before = close > at_ ? source_[close - 1] : '\0';
    const size_t end = before == '-' || before == '+' ? close - 1 : close;
    const size_t length = close_length(end, "#}", true, true);
    advance(end - at_ + length);
  }

  // Tokens up to the end of the tag.
  void expression(bool block) {
    brackets_.clear();
    while (at_ < source_.size()) {
      if (brackets_.empty()) {
        const size_t close = block ? close_length(at_, "%}", true, true) : close_length(at_, "}}", false, false);
        if (close > 0) {
          push(block ? TokenKind::block_end : TokenKind::variable_end, "");
          return advance(close);
        }
      }
      token();
    }
  }

  void token() {
    if (const size_t space = leading_space(rest()); space > 0) return advance(space);
    const char c = peek();
    if (is_digit(c)) return number();
    if (c == '\'' || c == '"') return string();
    const char32_t point = code_point_at(source_, at_);
    if (c == '_' || (point < 0x80 ? std::isalpha(static_cast<unsigned char>(c)) != 0 : is_word(point))) return name();
    symbol();
  }

  void name() {
    size_t end = at_;
    while (end < source_.size() && is_word(code_point_at(source_, end))) end += utf8_length(source_[end]);
    push(TokenKind::name, source_.substr(at_, end - at_));
    advance(end - at_);
  }

  // \d+ with single underscores between the digits, from `at`; its end, or `at`.
  size_t digits_end(size_t at) const {
    size_t end = at;
    while (end < source_.size() && is_digit(source_[end])) {
      ++end;
      if (end + 1 < source_.size() && source_[end] == '_' && is_digit(source_[end + 1])) ++end;
    }
    return end;
  }

  void number() {
    const bool behind_dot = at_ > 0 && source_[at_ - 1] == '.';  // x.0.1 is two subscripts
    const size_t whole = digits_end(at_);
    size_t end = whole;
    if (!behind_dot) {
      if (end < source_.size() && source_[end] == '.' && digits_end(end + 1) > end + 1) end = digits_end(end + 1);
      if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
        const size_t sign = end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-') ? 1 : 0;
        if (digits_end(end + 1 + sign) > end + 1 + sign) end = digits_end(end + 1 + sign);
      }
    }
    if (end > whole) {
      push(TokenKind::floating, source_.substr(at_, end - at_));
      tokens_.back().floating = parse_float(tokens_.back().text).value_or(0.0);
      return advance(end - at_);
    }
    end = integer_end(whole);
    push(TokenKind::integer, source_.substr(at_, end - at_));
    const auto value = parse_integer(tokens_.back().text, 0);
    if (!value) template_error("`{}` is not a number", tokens_.back().text);
    tokens_.back().integer = *value;
    advance(end - at_);
  }

  // Decimal integers do not begin with 0; 0x, 0o and 0b prefixes.
  size_t integer_end(size_t decimal_end) const {
    if (peek() != '0') return decimal_end;
    const char kind = static_cast<char>(std::tolower(static_cast<unsigned char>(peek(1))));
    const std::string_view digits = kind == 'x'   ? "0123456789abcdefABCDEF"
                                    : kind == 'o' ? "01234567"
                                    : kind == 'b' ? "01"
                                                  : "";
    if (digits.empty()) {
      const size_t zeros = source_.find_first_not_of("0_", at_);
      size_t end = std::min(zeros == std::string::npos ? source_.size() : zeros, decimal_end);
      while (source_[end - 1] == '_') --end;
      return end;
    }
    size_t end = at_ + 2;
    while (end < source_.size()) {
      const size_t skip = source_[end] == '_' ? 1 : 0;
      if (end + skip >= source_.size() || digits.find(source_[end + skip]) == std::string_view::npos) break;
      end += skip + 1;
    }
    return end > at_ + 2 ? end : at_ + 1;
  }

  void string() {
    const char quote = peek();
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) template_error("a string without its closing {}", quote);
    push(TokenKind::string, unescape(std::string_view(source_).substr(at_ + 1, end - at_ - 1)));
    advance(end + 1 - at_);
  }

  void symbol() {
    static constexpr std::array<std::string_view, 26> kSymbols = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                                  "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                                  ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    const auto found =
        std::find_if(kSymbols.begin(), kSymbols.end(), [&](std::string_view symbol) { return next_is(symbol); });
    if (found == kSymbols.end()) template_error("unexpected character `{}`", rest().substr(0, utf8_length(peek())));
    balance((*found)[0], found->size());
    push(TokenKind::symbol, std::string(*found));
    advance(found->size());
  }

  void balance(char c, size_t size) {
    if (size != 1) return;
    if (c == '(') brackets_ += ')';
    if (c == '[') brackets_ += ']';
    if (c == '{') brackets_ += '}';
    if (c != ')' && c != ']' && c != '}') return;
    if (brackets_.empty()) template_error("unexpected '{}'", c);
    if (brackets_.back() != c) template_error("unexpected '{}', expected '{}'", c, brackets_.back());
    brackets_.pop_back();
  }

  std::string source_;
  std::vector<Token> tokens_;
  std::string brackets_;  // the closing ones that are due
  size_t at_ = 0;
  int line_ = 1;
  int tag_line_ = 1;
  bool at_line_start_ = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace laconic::text::jinja

#include "laconic/rewards/notation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/notation_tables.h"

namespace laconic::rewards {
namespace {

using Action = CommandRule::Action;

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

struct CurrencySign {
  std::string_view sign, name;
};
constexpr std::array<CurrencySign, 5> kCurrencySigns = {
    {{"\u20ac", "euro"}, {"\u00a3", "pound"}, {"\u00a5", "yen"}, {"\u20b9", "rupee"}, {"\u20a9", "won"}}};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) { result_.text.reserve(text.size() + 16); }

  Notation run() {
    while (at_ < text_.size()) step();
    return std::move(result_);
  }

 private:
  enum class Brace { plain, wrapper, words };

  std::string& out() { return result_.text; }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool follows(std::string_view word) const { return text_.substr(at_).starts_with(word); }

  void step() {
    const char c = text_[at_];
    if (c == '\\') return backslash();
    if (c == '$') return dollar();
    if (c == '{') return open_brace();
    if (c == '}') return close_brace();
    if (c == '`' || c == kTextMark) {
      ++at_;
    } else if (c == '*' && peek(1) == '*') {
      // Bold type around the answer, or Python's power.
      const bool power = !out().empty() && (is_digit(out().back()) || is_letter(out().back()) || out().back() == ')') &&
                         (is_digit(peek(2)) || is_letter(peek(2)) || peek(2) == '(' || peek(2) == '-');
      if (power && !text_.starts_with("**")) out() += '^';
      at_ += 2;
    } else if (c == '=' && peek(1) == '>') {
      restart(2);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      unicode();
    } else if (is_letter(c)) {
      letters();
    } else if (c == '~' || is_space(c)) {
      out() += c == '\n' ? '\n' : ' ';  // a number does not go on in the next line
      ++at_;
    } else {
      out() += c;
      ++at_;
    }
  }

  void letters() {
    if (words_depth_ > 0) out() += kTextMark;
    if (follows("US$") || follows("USD")) {
      result_.currency = "dollar";
      at_ += 3;
      return;
    }
    while (is_letter(peek())) out() += text_[at_++];
  }

  void unicode() {
    if (const auto rule = unicode_rule(text_.substr(at_))) {
      out() += rule->replacement;
      at_ += rule->bytes;
      return;
    }
    for (const auto& [sign, name] : kCurrencySigns) {
      if (!follows(sign)) continue;
      result_.currency = name;
      at_ += sign.size();
      return;
    }
    out() += text_[at_++];
  }

  void dollar() {
    // A single sign in front of a number is a currency; a pair delimits mathematics.
    if (dollars_ < 0) dollars_ = static_cast<int>(std::count(text_.begin(), text_.end(), '$'));
    if (dollars_ == 1 && (is_digit(peek(1)) || peek(1) == '.' || peek(1) == ' ' || peek(1) == '-'))
      result_.currency = "dollar";
    ++at_;
  }

  void open_brace() {
    if (follows("{,}")) {
      out() += ',';
      at_ += 3;
      return;
    }
    size_t end = at_ + 1;
    while (end < text_.size() && is_space(text_[end])) ++end;
    if (end < text_.size() && text_[end] == '}') {  // an empty group
      at_ = end + 1;
      return;
    }
    braces_.push_back(Brace::plain);
    out() += '{';
    ++at_;
  }

  void close_brace() {
    ++at_;
    const Brace kind = braces_.empty() ? Brace::plain : braces_.back();
    if (!braces_.empty()) braces_.pop_back();
    if (kind == Brace::plain) out() += '}';
    if (kind == Brace::words) --words_depth_;
  }

  void backslash() {
    const char next = peek(1);
    if (is_letter(next)) return command();
    if (next == '\\') return double_backslash();
    at_ += next == '\0' ? 1 : 2;
    switch (next) {
      case '!':
        // "11,\! 111" is one number.
        while (!out().empty() && out().back() == ',' && is_space(peek())) ++at_;
        return;
      case ',':
        if (out().empty() || !is_digit(out().back()) || !is_digit(peek())) out() += ' ';
        return;
      case '$':
        result_.currency = "dollar";
        return;
      case '{':
      case '}':
      case '|':
        out() += '\\';
        out() += next;
        return;
      case '%':
      case '&':
      case '#':
      case '_':
        out() += next;
        return;
      default:
        out() += ' ';
    }
  }

  void double_backslash() {
    if (matrices_ > 0 && !text_.substr(at_ + 1).starts_with("\\end")) {
      out() += "\\\\";
      at_ += 2;
      if (peek() == '[') {  // \\[4pt]
        const size_t close = text_.substr(0, std::min(text_.size(), at_ + 12)).find(']', at_);
        if (close != std::string_view::npos && text_[close - 1] == 't') at_ = close + 1;
      }
      return;
    }
    // A doubled backslash in front of a command is one that was escaped twice.
    at_ += is_letter(peek(2)) || peek(2) == '%' || peek(2) == '$' ? 1 : 2;
    if (peek() != '\\') out() += ' ';
  }

  void command() {
    size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    auto rule = command_rule(name);
    while (!rule && name.size() > 2) {  // \lex is \le x
      name.remove_suffix(1);
      rule = command_rule(name);
    }
    if (!rule) {
      name = text_.substr(at_ + 1, end - at_ - 1);
      rule = CommandRule{};
    }
    at_ += 1 + name.size();
    apply(*rule, name);
  }

  void apply(const CommandRule& rule, std::string_view name) {
    switch (rule.action) {
      case Action::keep:
        if (name == "begin" || name == "end") return environment(name);
        out() += '\\';
        out() += name;
        if (is_letter(peek())) out() += ' ';
        return;
      case Action::drop:
        if (peek() == '.') ++at_;  // \left.
        return;
      case Action::space:
        out() += ' ';
        return;
      case Action::replace:
        out() += rule.replacement;
        return;
      case Action::restart:
        return restart(0);
      case Action::wrap:
      case Action::wrap_text:
        return wrapper(rule.action == Action::wrap_text);
    }
  }

  void wrapper(bool words) {
    size_t open = at_;
    while (open < text_.size() && is_space(text_[open])) ++open;
    if (open >= text_.size() || text_[open] != '{') return;
    at_ = open + 1;
    braces_.push_back(words ? Brace::words : Brace::wrapper);
    words_depth_ += words ? 1 : 0;
  }

  // \begin{pmatrix}, \begin{array}{cc}: kept as \begin{matrix} or \begin{vmatrix}. Others disappear.
  void environment(std::string_view command) {
    if (peek() != '{') return;
    const size_t close = text_.substr(0, std::min(text_.size(), at_ + 24)).find('}', at_);
    if (close == std::string_view::npos) return;
    const auto name = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    const bool array = name == "array";
    if (name.find("matrix") == std::string_view::npos && !array) return;
    out() += '\\';
    out() += command;
    out() += name == "vmatrix" ? "{vmatrix}" : "{matrix}";
    matrices_ += command == "begin" ? 1 : -1;
    if (array && command == "begin" && peek() == '{') {
      const size_t end = text_.substr(0, std::min(text_.size(), at_ + 64)).find('}', at_);
      if (end != std::string_view::npos) at_ = end + 1;
    }
  }

  // What stands before an implication is the way to the answer.
  void restart(size_t bytes) {
    at_ += bytes;
    const bool more = text_.substr(at_).find_first_not_of(" \t\r\n$.}") != std::string_view::npos;
    if (more && braces_.empty()) out().clear();
  }

  std::string_view text_;
  size_t at_ = 0;
  Notation result_;
  std::vector<Brace> braces_;
  int words_depth_ = 0;
  int matrices_ = 0;
  int dollars_ = -1;
};

// 1, 2, 3, ... and 1, 2, 3...: a list that goes on.
bool goes_on(std::string_view text) {
  const size_t end = text.find_last_not_of(". \t\r\n");
  if (end == std::string_view::npos || text.substr(end).find("..") == std::string_view::npos) return false;
  return text[end] == ',' || (is_digit(text[end]) && text.find(", ") != std::string_view::npos);
}

void strip_ends(std::string& text) {
  constexpr std::string_view kAfter = " \t\r\n.,;:?";
  if (goes_on(text)) return;
  for (;;) {
    while (!text.empty() && kAfter.find(text.back()) != std::string_view::npos) text.pop_back();
    // "Paris!" but not "5!" and "n!".
    const size_t n = text.size();
    const bool exclaimed = n >= 3 && text[n - 1] == '!' && is_letter(text[n - 2]) && is_letter(text[n - 3]);
    if (!exclaimed && !(n >= 1 && text.find_first_not_of('!') == std::string::npos)) break;
    text.pop_back();
  }
  text.erase(0, std::min(text.find_first_not_of(" \t\r\n:;"), text.size()));
}

}  // namespace

Notation plain_notation(std::string_view text) {
  Notation notation = Translator(text).run();
  strip_ends(notation.text);
  return notation;
}

std::string words_key(std::string_view text) {
  std::string key;
  const auto drop_article = [&key] {
    for (const std::string_view article : {"a", "an", "the"}) {
      if (key == article) key.clear();
      if (key.size() > article.size() && key.ends_with(article) && key[key.size() - article.size() - 1] == ' ')
        key.erase(key.size() - article.size());
    }
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      key += static_cast<char>(std::tolower(byte));
    } else if (c == '\'' || c == kTextMark) {
      continue;  // don't = dont
    } else if (is_space(c) || std::ispunct(byte) != 0) {
      drop_article();
      if (!key.empty() && key.back() != ' ') key += ' ';
    }
  }
  while (!key.empty() && key.back() == ' ') key.pop_back();
  return key;
}

}  // namespace laconic::rewards

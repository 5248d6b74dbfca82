#include "laconic/rewards/equivalence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <optional>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/comparer.h"
#include "laconic/rewards/notation.h"
#include "laconic/rewards/parser.h"
#include "laconic/rewards/units.h"

namespace laconic::rewards {
namespace {

// Longer answers are compared as they stand.
constexpr size_t kMaxAnswer = 4096;

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

// The text without white space, except between two letters or digits, and without text marks.
std::string squeezed(std::string_view text) {
  std::string key;
  bool space = false;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      space = true;
      continue;
    }
    if (c == kTextMark) continue;
    if (space && !key.empty() && is_alnum(key.back()) && is_alnum(c)) key += ' ';
    space = false;
    key += c;
  }
  return key;
}

// Without operators and digits, so that case and punctuation carry no meaning.
bool is_wordy(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_alnum) &&
         text.find_first_of("+*/^=<>\\{}|%") == std::string_view::npos && text.find('-') == std::string_view::npos;
}

bool has_long_word(std::string_view text) {
  size_t run = 0;
  for (const char c : text) {
    run = std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80 ? run + 1 : 0;
    if (run >= 3) return true;
  }
  return false;
}

// The letter of a multiple-choice answer that stands at the beginning: B, (B), B) 12, (B) because. '\0' when there is
// none, or when another choice is named as well.
char choice_letter(std::string_view notation) {
  std::string text;
  for (const char c : notation) {
    if (c != kTextMark) text += c;
  }
  size_t at = 0;
  for (const std::string_view word : {"option ", "choice ", "Option ", "Choice "}) {
    if (std::string_view(text).substr(at).starts_with(word)) at += word.size();
  }
  const bool opened = at < text.size() && text[at] == '(';
  if (opened) ++at;
  if (at >= text.size() || std::isalpha(static_cast<unsigned char>(text[at])) == 0) return '\0';
  const char letter = text[at++];
  if (at == text.size()) return letter;
  const bool closed = opened ? text[at] == ')' : text[at] == ')' || text[at] == '.' || text[at] == ':';
  if (!closed) return '\0';
  ++at;
  // The text of the choice may follow, and nothing that makes it a part of something else.
  const bool spaced = at < text.size() && text[at] == ' ';
  const auto rest = trim(std::string_view(text).substr(at));
  if (!rest.empty() && std::string_view("+*/^=<>|,;&!").find(rest[0]) != std::string_view::npos) return '\0';
  if (rest.starts_with("-") && !(spaced && rest.size() > 1 && rest[1] != ' ')) return '\0';
  if (rest.starts_with("or ") || rest.starts_with("and ")) return '\0';
  // Another letter that is marked like a choice.
  for (size_t i = at; i < text.size(); ++i) {
    if (!is_choice_letter(text[i])) continue;
    const bool alone = !is_alnum(text[i - 1]) && (i + 1 == text.size() || !is_alnum(text[i + 1]));
    if (alone) return '\0';
  }
  return letter;
}

bool is_choice(std::string_view notation) {
  const size_t open = notation.starts_with("(") ? 1 : 0;
  const size_t mark = open < notation.size() && notation[open] == kTextMark ? 1 : 0;
  const auto body = notation.substr(std::min(open + mark, notation.size()));
  return !body.empty() && is_choice_letter(body[0]) &&
         (open == 0 ? body.size() == 1 : body == std::string(1, body[0]) + ")");
}

// An answer in both forms.
struct Read {
  Notation notation;
  std::optional<Expression> tree;
};

// Whether the text in front of an equals sign may name what stands behind it, rather than be the first of several
// answers or a sentence.
bool names_a_value(std::string_view left) {
  constexpr std::array<std::string_view, 14> kSentence = {"is",   "are",  "and", "or", "since", "because", "if",
                                                          "when", "with", "for", "so", "where", "then",    "would"};
  int depth = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    const char c = left[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if ((c == ',' || c == ';') && depth <= 0) return false;
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) continue;
    const size_t begin = i;
    while (i + 1 < left.size() && std::isalpha(static_cast<unsigned char>(left[i + 1])) != 0) ++i;
    const bool command = begin > 0 && left[begin - 1] == '\\';
    const auto word = left.substr(begin, i + 1 - begin);
    if (!command && std::find(kSentence.begin(), kSentence.end(), word) != kSentence.end()) return false;
  }
  return depth == 0;
}

// \lim_{x \to 0} f(x) = 1: what the unreadable left side equals.
std::string_view last_side(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return {};
  const char before = text[equals - 1];
  if (before == '<' || before == '>' || before == '!') return {};
  return names_a_value(text.substr(0, equals)) ? text.substr(equals + 1) : std::string_view();
}

// "The area of ABC is 5": what stands behind words alone.
std::string_view behind_is(std::string_view text) {
  for (const std::string_view is : {std::string_view(" is "), std::string_view(" \x02is ")}) {
    const size_t at = text.rfind(is);
    if (at == std::string_view::npos) continue;
    const auto left = text.substr(0, at);
    const bool words = std::all_of(left.begin(), left.end(), [](char c) {
      return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == ' ' || c == kTextMark || c == '\'';
    });
    if (words) return text.substr(at + is.size());
  }
  return {};
}

// Without a rounded value in brackets at the end: 7/39 (about 0.18).
std::string_view without_rounding(std::string_view text) {
  if (!text.ends_with(")")) return {};
  size_t open = text.size() - 1;
  for (int depth = 0; open > 0; --open) {
    if (text[open] == ')') ++depth;
    if (text[open] == '(' && --depth == 0) break;
  }
  auto inside = text.substr(open + 1);
  while (!inside.empty() && (inside[0] == ' ' || inside[0] == kTextMark)) inside.remove_prefix(1);
  for (const std::string_view word : {"\\approx", "\\sim", "about ", "approximately ", "approx", "roughly "}) {
    if (inside.starts_with(word)) return trim(text.substr(0, open));
  }
  return {};
}

std::optional<Expression> parse_loosely(std::string_view text) {
  if (auto tree = parse_answer(text)) return tree;
  for (const auto part : {last_side(text), behind_is(text), without_rounding(text)}) {
    if (part.empty()) continue;
    if (auto tree = parse_answer(part)) return tree;
  }
  return std::nullopt;
}

Read read(std::string_view text) {
  Read result;
  result.notation = plain_notation(trim(text));
  result.tree = parse_loosely(result.notation.text);
  if (result.tree && !result.notation.currency.empty() && result.tree->kind != Kind::quantity &&
      result.tree->kind != Kind::sequence && result.tree->kind != Kind::relation) {
    Expression quantity = make_node(Kind::quantity, std::move(*result.tree));
    quantity.name = result.notation.currency;
    result.tree = std::move(quantity);
  }
  return result;
}

bool is_formula(const Expression& e) {
  constexpr std::array<Kind, 7> kKinds = {Kind::sum,   Kind::product, Kind::quotient, Kind::negate,
                                          Kind::power, Kind::root,    Kind::function};
  return std::find(kKinds.begin(), kKinds.end(), e.kind) != kKinds.end();
}

bool has_separated_group(std::string_view text) {
  for (size_t i = 1; i + 3 < text.size(); ++i) {
    if (text[i] == ',' && std::isdigit(static_cast<unsigned char>(text[i - 1])) != 0 &&
        std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0)
      return true;
  }
  return false;
}

std::string dense(std::string_view text) {
  std::string result(text);
  std::erase_if(result, [](unsigned char c) { return std::isspace(c) != 0 || c == kTextMark; });
  return result;
}

// "52_8" and "52_{8}" without the base.
std::string without_base(const std::string& key) {
  const size_t mark = key.rfind('_');
  if (mark == std::string::npos || mark == 0 || std::isdigit(static_cast<unsigned char>(key[mark - 1])) == 0)
    return key;
  return key.substr(0, mark);
}

std::optional<Equivalence> compare_texts(const Notation& gold, const Notation& answer,
                                         const EquivalenceOptions& options) {
  const std::string left = squeezed(gold.text), right = squeezed(answer.text);
  const bool meaningful = std::any_of(left.begin(), left.end(), is_alnum) || left == "\\{\\}";
  const bool same_money = gold.currency == answer.currency || gold.currency.empty() || answer.currency.empty();
  if (left == right && meaningful && same_money) return Equivalence{true, "same expression"};
  if (left.empty() || right.empty()) return Equivalence{false, left.empty() ? "the gold answer is empty" : "empty"};
  if (is_choice(gold.text)) {
    const char wanted = choice_letter(gold.text), given = choice_letter(answer.text);
    const bool same = options.loose ? std::toupper(static_cast<unsigned char>(given)) == wanted : given == wanted;
    if (same && given != '\0') return Equivalence{true, "same choice"};
  }
  if (is_wordy(left) && is_wordy(right)) {
    const std::string x = words_key(gold.text);
    const bool word = has_long_word(left) || x == "no";
    if (word && !x.empty() && x == words_key(answer.text)) return Equivalence{true, "same words"};
  }
  if (options.loose && without_base(left) == without_base(right)) return Equivalence{true, "same digits"};
  return std::nullopt;
}

Equivalence compare(std::string_view gold_text, std::string_view answer_text, const EquivalenceOptions& options) {
  if (gold_text.size() > kMaxAnswer || answer_text.size() > kMaxAnswer) {
    const auto gold = trim(gold_text), answer = trim(answer_text);
    return {!gold.empty() && gold == answer, gold == answer ? "same text" : "too long to be the gold answer"};
  }
  const Read gold = read(gold_text), answer = read(answer_text);
  if (auto verdict = compare_texts(gold.notation, answer.notation, options)) return *verdict;
  if (!gold.tree) return {false, "another text"};
  if (!answer.tree) return {false, "the answer cannot be read"};
  if (Comparer(options).same(*gold.tree, *answer.tree)) return {true, "same value"};
  if (has_separated_group(gold.notation.text) || has_separated_group(answer.notation.text)) {
    // 1,234 may have been a list after all.
    EquivalenceOptions ordered = options;
    ordered.ordered_lists = true;
    const auto left = parse_answer(gold.notation.text, {.thousands = false});
    const auto right = parse_answer(answer.notation.text, {.thousands = false});
    if (left && right && Comparer(ordered).same(*left, *right)) return {true, "same list"};
  }
  return {false, "another value"};
}

}  // namespace

Equivalence compare_answers(std::string_view gold, std::string_view answer, const EquivalenceOptions& options) {
  try {
    return compare(gold, answer, options);
  } catch (const std::exception& error) {
    return {false, std::string("not comparable: ") + error.what()};
  }
}

bool is_mathematics(std::string_view text) {
  try {
    if (text.size() > kMaxAnswer) return false;
    const auto tree = parse_answer(plain_notation(trim(text)).text);
    const auto is_prose = [](const Expression& e) {
      return e.is(Kind::text) || (e.is(Kind::quantity) && !measure_of(e.name));
    };
    return tree && !any_node(*tree, is_prose);
  } catch (const std::exception&) {
    return false;
  }
}

bool restates(std::string_view question, std::string_view answer, std::string_view gold) {
  try {
    if (answer.size() > kMaxAnswer || gold.size() > kMaxAnswer) return false;
    const Read given = read(answer), wanted = read(gold);
    if (!given.tree || !wanted.tree) return false;
    const bool open_arithmetic = is_unevaluated(*given.tree) && !is_unevaluated(*wanted.tree);
    const bool other_form =
        is_formula(*given.tree) && !symbols_of(*given.tree).empty() && !same_form(*given.tree, *wanted.tree);
    if (!open_arithmetic && !other_form) return false;
    const std::string part = dense(given.notation.text);
    return !part.empty() && dense(plain_notation(question).text).find(part) != std::string::npos;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace laconic::rewards

#include "laconic/rewards/alphametic_verifier.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"
#include "laconic/rewards/marked_answer.h"

namespace laconic::rewards {
namespace {

constexpr size_t kLongestWord = 18;  // so that sums fit into 64 bits
constexpr size_t kMostWords = 9;

using Digits = std::array<int, 26>;  // of each letter; -1 where none is known

Digits no_digits() {
  Digits digits{};
  digits.fill(-1);
  return digits;
}

int& digit_of(Digits& digits, char letter) {
  return digits[static_cast<size_t>(letter - 'A')];
}

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

std::string word_of(std::string_view text, std::string_view puzzle) {
  std::string word;
  for (const char c : trim(text)) {
    if (!is_letter(c))
      fail(ErrorKind::input, "the puzzle in the gold field: expected words with + and =, found {}",
           puzzle.substr(0, 80));
    word += upper(c);
  }
  if (word.empty() || word.size() > kLongestWord)
    fail(ErrorKind::input, "the puzzle in the gold field: expected words of 1 to {} letters, found {}", kLongestWord,
         puzzle.substr(0, 80));
  return word;
}

// Takes one word's digits, as they stand in the text, into the letters' digits; false where they contradict each other.
bool assign(Digits& digits, std::string_view word, std::string_view number) {
  for (size_t i = 0; i < word.size(); ++i) {
    int& known = digit_of(digits, word[i]);
    if (known >= 0 && known != number[i] - '0') return false;
    known = number[i] - '0';
  }
  return true;
}

// Behind white space, dollar signs, and spaces and alignment of LaTeX.
size_t past_space(std::string_view text, size_t at) {
  constexpr std::array<std::string_view, 7> kSpaces = {" ", "$", "&", "\\,", "\\;", "\\:", "\\ "};
  for (;;) {
    const size_t before = at;
    for (const auto space : kSpaces) {
      if (text.substr(at).starts_with(space)) at += space.size();
    }
    if (at == before) return at;
  }
}

// The sums in digits whose words are as long as the puzzle's; 9567 + 1085 = 10652 and 10652 = 9567 + 1085.
class Sums {
 public:
  Sums(const AlphameticPuzzle& puzzle, std::string_view text) : puzzle_(puzzle), text_(text) {
    for (size_t at = 0; at < text.size(); ++at) {
      if (!is_digit(text[at]) || (at > 0 && is_digit(text[at - 1]))) continue;
      read(at, /*sum_first=*/false);
      if (puzzle.addends.size() > 1) read(at, /*sum_first=*/true);
    }
  }
  std::optional<Digits> last;  // digits of the last sum
  bool differ = false;         // there are sums with other digits
  bool contradicts = false;    // the last sum gives a letter two digits

 private:
  void read(size_t at, bool sum_first) {
    Digits digits = no_digits();
    bool fits = true;
    const size_t addends = puzzle_.addends.size(), sum = sum_first ? 0 : addends;
    for (size_t i = 0; i <= addends; ++i) {
      const auto& word = i == sum ? puzzle_.sum : puzzle_.addends[sum_first ? i - 1 : i];
      const size_t end = text_.find_first_not_of("0123456789", at);
      const size_t stop = end == std::string_view::npos ? text_.size() : end;
      if (stop - at != word.size()) return;
      if (!assign(digits, word, text_.substr(at, word.size()))) fits = false;
      at = stop;
      if (i == addends) break;
      at = past_space(text_, at);
      if (at == text_.size() || text_[at] != (i == sum || i + 1 == sum ? '=' : '+')) return;
      at = past_space(text_, at + 1);
    }
    if (last && *last != digits) differ = true;
    last = digits;
    contradicts = !fits;
  }

  const AlphameticPuzzle& puzzle_;
  std::string_view text_;
};

struct Assignment {
  char letter;
  int digit;
};

// Behind the sign of an assignment and the marks around it; npos where there is no sign.
size_t past_sign(std::string_view text, size_t at) {
  const auto skip = [&](std::string_view marks) { at = std::min(text.find_first_not_of(marks, at), text.size()); };
  skip(" \t\"'`*_}");
  for (const std::string_view sign : {"=>", "=", ":", "->", "\xE2\x86\x92", "\\to", "\\rightarrow"}) {
    if (!text.substr(at).starts_with(sign)) continue;
    at += sign.size();
    skip(" \t\"'`*_{");
    return at;
  }
  return std::string_view::npos;
}

// A number that ends at `at` goes on: "2.5", "9 or 8", "9/8", "5 + 1", "9, 8".
bool goes_on(std::string_view text, size_t at) {
  if (at < text.size() && (is_digit(text[at]) || is_letter(text[at]))) return true;
  if (at == text.size()) return false;
  at = std::min(text.find_first_not_of(" \t*`$", at), text.size());
  if (at < text.size() && text[at] == '+') return true;
  at = std::min(text.find_first_not_of(" \t.,/|-*", at), text.size());
  if (text.substr(at).starts_with("or ")) at = std::min(text.find_first_not_of(' ', at + 2), text.size());
  return at < text.size() && is_digit(text[at]);
}

bool follows_plus(std::string_view text, size_t at) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '$')) --at;
  return at > 0 && text[at - 1] == '+';
}

// "S=9", "S: 9", "S -> 9", "'S': 9", "S \to 9", "S \rightarrow 9" and so on, of the puzzle's letters, and the same of
// its words: "SEND = 9567".
std::vector<Assignment> assignments(const AlphameticPuzzle& puzzle, std::string_view text) {
  std::vector<Assignment> found;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = std::max(end, begin + 1)) {
    end = begin;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end == begin || end - begin > kLongestWord) continue;
    std::string word(text.substr(begin, end - begin));
    std::transform(word.begin(), word.end(), word.begin(), upper);
    const bool known = (word.size() == 1 && puzzle.letters.find(word) != std::string::npos) || word == puzzle.sum ||
                       std::find(puzzle.addends.begin(), puzzle.addends.end(), word) != puzzle.addends.end();
    if (!known || follows_plus(text, begin)) continue;
    if (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '\\')) continue;
    const size_t at = past_sign(text, end);
    if (at == std::string_view::npos || at + word.size() > text.size()) continue;
    const auto number = text.substr(at, word.size());
    if (!std::all_of(number.begin(), number.end(), is_digit) || goes_on(text, at + number.size())) continue;
    for (size_t i = 0; i < word.size(); ++i) found.push_back({word[i], number[i] - '0'});
  }
  return found;
}

struct Reading {
  std::optional<Digits> digits;
  std::string problem;
};

Reading read_assignments(const AlphameticPuzzle& puzzle, std::string_view text, bool marked) {
  const auto all = assignments(puzzle, text);
  Digits digits = no_digits();
  size_t known = 0;
  // From the end; the digits of an earlier try do not matter in an unmarked text.
  for (size_t i = all.size(); i-- > 0;) {
    int& digit = digit_of(digits, all[i].letter);
    if (digit >= 0 && digit != all[i].digit) return {std::nullopt, fmt::format("{} has two digits", all[i].letter)};
    if (digit < 0) ++known;
    digit = all[i].digit;
    if (known == puzzle.letters.size() && !marked) break;
  }
  if (known < puzzle.letters.size()) return {std::nullopt, "no digits of all letters, and no sum in digits"};
  return {digits, ""};
}

Reading read_answer(const AlphameticPuzzle& puzzle, std::string_view text, bool marked) {
  const Sums sums(puzzle, text);
  if (!sums.last) return read_assignments(puzzle, text, marked);
  if (marked && sums.differ) return {std::nullopt, "several sums that differ"};
  if (sums.contradicts) return {std::nullopt, "a letter has two digits"};
  if (!marked) return {sums.last, ""};
  Digits digits = *sums.last;
  for (const auto& [letter, digit] : assignments(puzzle, text)) {
    if (digit_of(digits, letter) != digit) return {std::nullopt, fmt::format("{} has two digits", letter)};
  }
  return {sums.last, ""};
}

int64_t value_of(Digits& digits, const std::string& word) {
  int64_t value = 0;
  for (const char letter : word) value = 10 * value + digit_of(digits, letter);
  return value;
}

// Why the digits are no solution; "" when they are one.
std::string problem_of(const AlphameticPuzzle& puzzle, Digits digits) {
  std::array<char, 10> letter_of{};
  for (const char letter : puzzle.letters) {
    char& other = letter_of[static_cast<size_t>(digit_of(digits, letter))];
    if (other != 0) return fmt::format("{} and {} have the same digit", other, letter);
    other = letter;
  }
  int64_t total = 0;
  for (const auto& word : puzzle.addends) {
    if (digit_of(digits, word.front()) == 0) return fmt::format("{} begins with 0", word);
    total += value_of(digits, word);
  }
  if (digit_of(digits, puzzle.sum.front()) == 0) return fmt::format("{} begins with 0", puzzle.sum);
  const int64_t sum = value_of(digits, puzzle.sum);
  return total == sum ? "" : fmt::format("the addends make {}, not {}", total, sum);
}

}  // namespace

AlphameticPuzzle parse_alphametic(std::string_view gold) {
  std::string text(trim(gold));
  if (text.starts_with('{') && json_levels(text) <= kMaxJsonLevels) {
    const auto value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto puzzle = value.is_object() ? value.value("puzzle", nlohmann::json()) : nlohmann::json();
    if (puzzle.is_string()) text = puzzle.get<std::string>();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  const auto sides = split(text, '=');
  if (sides.size() != 2)
    fail(ErrorKind::input, "the puzzle in the gold field: expected one sum such as SEND + MORE = MONEY, found {}",
         text.substr(0, 80));
  AlphameticPuzzle puzzle;
  for (const auto& word : split(sides[0], '+')) puzzle.addends.push_back(word_of(word, text));
  puzzle.sum = word_of(sides[1], text);
  if (puzzle.addends.size() > kMostWords)
    fail(ErrorKind::input,
         "the puzzle in the gold field: expected at most {} words in front of the equals sign, found {}", kMostWords,
         puzzle.addends.size());
  for (const auto& word : puzzle.addends) puzzle.letters += word;
  puzzle.letters += puzzle.sum;
  std::string once;
  for (const char letter : puzzle.letters) {
    if (once.find(letter) == std::string::npos) once += letter;
  }
  puzzle.letters = once;
  if (once.size() > 10)
    fail(ErrorKind::input, "the puzzle in the gold field: expected at most 10 letters, found {}: {}", once.size(),
         once);
  return puzzle;
}

AlphameticVerifier::AlphameticVerifier(OptionReader options)
    : thinking_(options.thinking()), truncated_is_wrong_(options.truncated_is_wrong()) {
  options.finish();
}

std::string AlphameticVerifier::gold_answer(std::string_view gold) const {
  const auto puzzle = parse_alphametic(gold);
  return join(puzzle.addends, " + ") + " = " + puzzle.sum;
}

GoldUse AlphameticVerifier::gold_use(std::string_view gold) const {
  (void)parse_alphametic(gold);
  return {};
}

Verdict AlphameticVerifier::verify(const Response& response, std::string_view gold) const {
  const auto puzzle = parse_alphametic(gold);
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  auto found = marked_answer(graded.text);
  if (found.problem != nullptr) return not_graded(response, found.problem);
  auto reading = read_answer(puzzle, found.text, found.marked);
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.format_ok = graded.tags_fit && found.marked && !response.truncated;
  verdict.reason = reading.problem;
  verdict.answer_found = reading.digits.has_value();
  if (!reading.digits) return verdict;
  for (const char letter : puzzle.letters)
    verdict.answer +=
        fmt::format("{}{}={}", verdict.answer.empty() ? "" : ", ", letter, digit_of(*reading.digits, letter));
  verdict.reason = problem_of(puzzle, *reading.digits);
  verdict.correct = verdict.reason.empty();
  if (verdict.correct) verdict.reason = "the sum is true";
  return settle(std::move(verdict), truncated_is_wrong_);
}

}  // namespace laconic::rewards

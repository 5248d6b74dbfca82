#include "laconic/rewards/numbers_verifier.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/arithmetic.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"
#include "laconic/rewards/marked_answer.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxAnswer = 1024;
constexpr size_t kMaxWhole = 256;  // a text up to this length may be an answer as it stands
constexpr size_t kMostNumbers = 64;
constexpr int64_t kLargest = 1'000'000'000'000;

[[noreturn]] void wrong(const char* part, const char* expected, const Json& found) {
  fail(ErrorKind::input, "the puzzle in the gold field: {}: expected {}, found {}", part, expected,
       found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80));
}

int64_t whole(const char* part, const Json& value) {
  Json number = value;
  if (value.is_string()) number = Json::parse(trim(value.get_ref<const std::string&>()), nullptr, false);
  const bool good = number.is_number() && number.get<double>() >= 0 && number.get<double>() <= kLargest &&
                    number.get<double>() == static_cast<double>(number.get<int64_t>());
  if (!good) wrong(part, "a whole number from 0", value);
  return number.get<int64_t>();
}

std::vector<int64_t> numbers_of(const Json& value) {
  Json list = value;
  if (value.is_string()) {
    // "3, 4, 5" or "3 4 5".
    std::string text = value.get<std::string>();
    std::replace(text.begin(), text.end(), ',', ' ');
    list = Json::array();
    for (const auto& word : split(text, ' ')) {
      if (!trim(word).empty()) list.push_back(std::string(trim(word)));
    }
  }
  if (!list.is_array() || list.empty() || list.size() > kMostNumbers)
    wrong("numbers", "a list of 1 to 64 numbers", value);
  std::vector<int64_t> numbers;
  numbers.reserve(list.size());
  for (const auto& item : list) numbers.push_back(whole("numbers", item));
  return numbers;
}

std::string listed(const std::vector<int64_t>& numbers) {
  std::vector<std::string> words;
  words.reserve(numbers.size());
  for (const int64_t number : numbers) words.push_back(std::to_string(number));
  return join(words, " ");
}

// Without dollar signs, \( \), \[ \] around it and a full stop behind it.
std::string_view bare(std::string_view text) {
  for (;;) {
    const auto before = text;
    text = trim(text);
    for (const std::string_view mark : {"$", "\\(", "\\[", "`", "**"}) {
      if (text.starts_with(mark)) text.remove_prefix(mark.size());
    }
    for (const std::string_view mark : {"$", "\\)", "\\]", "`", "**", "."}) {
      if (text.ends_with(mark)) text.remove_suffix(mark.size());
    }
    if (text == before) return text;
  }
}

std::string_view last_line(std::string_view text) {
  const auto whole_text = trim(text);
  const size_t newline = whole_text.rfind('\n');
  return newline == std::string_view::npos ? whole_text : whole_text.substr(newline + 1);
}

// The part of an unmarked text that is the answer.
std::string_view unmarked(std::string_view text) {
  if (text.size() <= kMaxWhole && text.find('\n') == std::string_view::npos &&
      evaluate_arithmetic(bare(text.substr(0, text.find('=')))).value)
    return text;
  if (const auto formula = last_formula(text)) return *formula;
  return last_line(text);
}

}  // namespace

NumbersPuzzle parse_numbers_puzzle(std::string_view gold, std::optional<int64_t> own_target) {
  const auto text = trim(gold);
  const bool json = (text.starts_with('{') || text.starts_with('[')) && json_levels(text) <= kMaxJsonLevels;
  const Json value = json ? Json::parse(text, nullptr, /*allow_exceptions=*/false) : Json(std::string(text));
  NumbersPuzzle puzzle;
  if (!value.is_object()) {
    if (!own_target) wrong("all", "{\"numbers\": [...], \"target\": ...}", value);
    puzzle.numbers = numbers_of(value);
    puzzle.target = *own_target;
    return puzzle;
  }
  puzzle.numbers = numbers_of(value.contains("numbers") ? value.at("numbers") : value.value("nums", Json()));
  if (!own_target || value.contains("target")) puzzle.target = whole("target", value.value("target", Json()));
  if (own_target && value.contains("target") && puzzle.target != *own_target)
    wrong("target", std::to_string(*own_target).c_str(), value.at("target"));
  if (own_target) puzzle.target = *own_target;
  return puzzle;
}

NumbersVerifier::NumbersVerifier(std::string name, OptionReader options)
    : name_(std::move(name)),
      thinking_(options.thinking()),
      truncated_is_wrong_(options.truncated_is_wrong()),
      all_numbers_(options.choice("uses", {"all", "some"}, 0) == 0) {
  options.finish();
}

NumbersPuzzle NumbersVerifier::puzzle(std::string_view gold) const {
  return parse_numbers_puzzle(gold, name_ == "game_of_24" ? std::optional<int64_t>(24) : std::nullopt);
}

std::string NumbersVerifier::gold_answer(std::string_view gold) const {
  const auto given = puzzle(gold);
  return fmt::format("{} -> {}", listed(given.numbers), given.target);
}

GoldUse NumbersVerifier::gold_use(std::string_view gold) const {
  (void)puzzle(gold);
  return {};
}

std::string NumbersVerifier::problem_of(std::string_view answer, const NumbersPuzzle& puzzle) const {
  const auto sides = split(answer, '=');
  auto left = evaluate_arithmetic(bare(sides.front()));
  if (!left.value) return left.problem;
  // "24 = 8 / (3 - 8 / 3)": behind the bare target stands the answer.
  const bool target_first = sides.size() > 1 && left.numbers.size() == 1 && *left.value == Rational(puzzle.target);
  for (size_t i = 1; i < sides.size(); ++i) {
    const auto right = evaluate_arithmetic(bare(sides[i]));
    if (!right.value) return "behind the equals sign: " + right.problem;
    if (*right.value != *left.value) return "the equation is false";
    if (target_first && i == 1) left.numbers = right.numbers;
  }
  auto used = left.numbers, given = puzzle.numbers;
  std::sort(used.begin(), used.end());
  std::sort(given.begin(), given.end());
  if (all_numbers_ ? used != given : !std::includes(given.begin(), given.end(), used.begin(), used.end()))
    return fmt::format("uses the numbers {}, given are {}", listed(left.numbers), listed(puzzle.numbers));
  if (*left.value != Rational(puzzle.target)) return fmt::format("does not make {}", puzzle.target);
  return "";
}

Verdict NumbersVerifier::verify(const Response& response, std::string_view gold) const {
  const auto given = puzzle(gold);
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  const auto found = marked_answer(without_special_tokens(graded.text));
  if (found.problem != nullptr) return not_graded(response, found.problem);
  const auto answer = bare(found.marked ? found.text : unmarked(found.text));
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = std::string(answer.substr(0, kMaxAnswer));
  verdict.format_ok = graded.tags_fit && found.marked && !response.truncated;
  verdict.reason = problem_of(answer, given);
  verdict.correct = verdict.reason.empty();
  if (verdict.correct) verdict.reason = fmt::format("makes {} of the given numbers", given.target);
  return settle(std::move(verdict), truncated_is_wrong_);
}

}  // namespace laconic::rewards

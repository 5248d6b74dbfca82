#include "laconic/rewards/verifiers.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/alphametic_verifier.h"
#include "laconic/rewards/code_verifier.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"
#include "laconic/rewards/instructions_verifier.h"
#include "laconic/rewards/numbers_verifier.h"
#include "laconic/rewards/sudoku_verifier.h"

namespace laconic::rewards {
namespace {

// Long answers are kept as evidence in logs, not in full.
constexpr size_t kMaxAnswer = 1024;
// A text up to this length may be an answer as it stands.
constexpr size_t kMaxWhole = 256;
// The same without white space.
constexpr size_t kMaxBare = 4096;
// So much of a prompt is searched for the answer.
constexpr size_t kMaxPrompt = 65536;

std::string shortened(std::string_view answer) {
  return std::string(trim(answer).substr(0, kMaxAnswer));
}

struct Found {
  std::optional<std::string_view> answer;
  bool marked = true;
  const char* reason = "no answer found";
};

// The letter of a choice at the beginning of a sentence: "B because ...", "(B), as (A) is too small". Not of "A or B".
std::optional<std::string_view> leading_choice(std::string_view phrase) {
  const size_t at = phrase.starts_with("(") ? 1 : 0;
  if (at + 1 >= phrase.size() || !is_choice_letter(phrase[at])) return std::nullopt;
  size_t end = at + 1;
  if (at == 1 && phrase[end++] != ')') return std::nullopt;
  const size_t mark = end;
  while (end < phrase.size() && std::string_view(".,:;)*").find(phrase[end]) != std::string_view::npos) ++end;
  if (end >= phrase.size() || phrase[end] != ' ') return std::nullopt;
  const auto rest = trim(phrase.substr(end));
  const auto word = rest.substr(0, std::min(rest.find(' '), rest.size()));
  if (word.size() < 2 || std::islower(static_cast<unsigned char>(word[0])) == 0) return std::nullopt;
  if (word == "or" || word == "and" || word == "nor") return std::nullopt;
  const bool reason = word == "because" || word == "since" || word == "as" || word == "for";
  if (end == mark && !reason) return std::nullopt;
  return phrase.substr(at, 1);
}

// The answer within "the answer is ...": the value behind a calculation, the formula or the number in a sentence.
std::string_view in_phrase(std::string_view phrase) {
  const size_t equals = phrase.rfind('=');
  if (equals != std::string_view::npos && equals > 0) {
    const auto left = phrase.substr(0, equals), right = trim(phrase.substr(equals + 1));
    const bool calculation =
        std::none_of(left.begin(), left.end(), [](unsigned char c) { return std::isalpha(c) != 0; }) &&
        left.find_first_of("<>!") == std::string_view::npos;
    if (calculation && is_mathematics(right)) return right;
  }
  if (is_mathematics(phrase)) return phrase;
  if (const auto choice = leading_choice(phrase)) return *choice;
  if (const auto formula = last_formula(phrase)) return *formula;
  // "the answer is 42 because ..." and "the answer is about 42 apples, as ..."
  if (phrase.find(' ') != std::string_view::npos) {
    if (const auto number = first_number(phrase)) return *number;
  }
  return phrase;
}

// Without white space; but a sentence with a number in it of a script that has no spaces is none.
bool is_one_word(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return false;
  const auto above_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const bool sentence =
      std::any_of(text.begin(), text.end(), above_ascii) && std::any_of(text.begin(), text.end(), digit);
  return !sentence || is_mathematics(text);
}

// The letter of a choice that stands alone in the last of several lines.
std::optional<std::string_view> letter_in_last_line(std::string_view text) {
  constexpr size_t kLongest = 32;
  text = text.substr(text.size() - std::min(text.size(), kLongest));
  const size_t line = text.rfind('\n');
  if (line == std::string_view::npos) return std::nullopt;
  auto letter = trim(text.substr(line + 1));
  while (!letter.empty() && std::string_view("(*$").find(letter.front()) != std::string_view::npos)
    letter.remove_prefix(1);
  while (!letter.empty() && std::string_view(".)*$").find(letter.back()) != std::string_view::npos)
    letter.remove_suffix(1);
  if (letter.size() != 1 || !is_choice_letter(letter[0])) return std::nullopt;
  return letter;
}

Found unmarked_answer(std::string_view text, bool allow_last_number) {
  const auto whole = trim(text);
  const bool bare = !whole.empty() && whole.size() <= kMaxBare;
  if (bare && is_one_word(whole)) return {whole, false};
  if (whole.size() <= kMaxWhole && is_mathematics(whole)) return {whole, false};
  if (const auto letter = letter_in_last_line(whole)) return {letter, false};
  if (const auto formula = last_formula(text)) return {formula, false};
  if (allow_last_number) {
    if (const auto number = last_number(text)) return {number, false};
  }
  return {std::nullopt, false};
}

Found find_answer(std::string_view text, const MathPolicy& policy) {
  const auto box = last_box(text);
  if (box.state == BoxState::unclosed) return {std::nullopt, true, "the last \\boxed{ is not closed"};
  if (box.state == BoxState::closed) {
    if (trim(box.content).empty()) return {std::nullopt, true, "the last \\boxed{} is empty"};
    if (policy.one_box && has_other_box(text, trim(box.content)))
      return {std::nullopt, true, "several \\boxed{} that differ"};
    return {box.content};
  }
  if (policy.require_box) return {std::nullopt, true, "no \\boxed{}"};
  if (const auto hashes = after_hashes(text)) {
    const auto phrase = answer_phrase(*hashes);
    return {phrase ? in_phrase(*phrase) : *hashes};
  }
  if (const auto tag = answer_tag(text)) {
    const auto phrase = answer_phrase(*tag);
    return {phrase ? in_phrase(*phrase) : *tag};
  }
  if (const auto phrase = answer_phrase(text)) return {in_phrase(*phrase)};
  return unmarked_answer(text, policy.last_number);
}

}  // namespace

MathVerifier::MathVerifier(OptionReader options)
    : thinking_(options.thinking()), truncated_is_wrong_(options.truncated_is_wrong()) {
  const auto names = math_policy_names();
  policy_ = math_policy(names[options.choice("policy", names, 0)]);
  auto& equivalence = policy_.equivalence;
  policy_.require_box = options.boolean("require_box", policy_.require_box);
  policy_.one_box = options.boolean("one_box", policy_.one_box);
  policy_.last_number = options.boolean("last_number", policy_.last_number);
  equivalence.percent = static_cast<PercentRule>(
      options.choice("percent", {"ignore", "exact", "any"}, static_cast<size_t>(equivalence.percent)));
  equivalence.tolerance = options.non_negative("tolerance", equivalence.tolerance);
  equivalence.ordered_lists = options.boolean("ordered_lists", equivalence.ordered_lists);
  equivalence.simplified = options.boolean("simplified", equivalence.simplified);
  equivalence.rounded = options.boolean("rounded", equivalence.rounded);
  equivalence.loose = options.boolean("loose", equivalence.loose);
  options.finish();
}

std::string MathVerifier::gold_answer(std::string_view gold) const {
  if (const auto hashes = after_hashes(gold)) return std::string(*hashes);
  const auto box = last_box(gold);
  if (box.state == BoxState::closed) return std::string(trim(box.content));
  if (const auto phrase = answer_phrase(gold)) return std::string(in_phrase(*phrase));
  return std::string(trim(gold));
}

Verdict MathVerifier::judged(const Response& response, std::string_view answer, const std::string& expected) const {
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = shortened(answer);
  const auto result = compare_answers(expected, answer, policy_.equivalence);
  verdict.correct = result.equal;
  verdict.reason = result.reason;
  if (result.equal && !response.prompt_text.empty() &&
      restates(response.prompt_text.substr(0, kMaxPrompt), answer, expected)) {
    verdict.correct = false;
    verdict.reason = "restates the question";
  }
  return verdict;
}

Verdict MathVerifier::verify(const Response& response, std::string_view gold) const {
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  const auto text = without_special_tokens(graded.text);
  const auto found = find_answer(text, policy_);
  const std::string expected = gold_answer(gold);
  // An unmarked answer of several words ("2x + 3", "New York") is compared as a whole before its last number decides.
  const auto whole = trim(text);
  if (!found.marked && whole.size() <= kMaxWhole) {
    Verdict verdict = judged(response, whole, expected);
    if (verdict.correct) return settle(std::move(verdict), truncated_is_wrong_);
  }
  if (!found.answer) return not_graded(response, found.reason);
  Verdict verdict = judged(response, *found.answer, expected);
  verdict.format_ok = graded.tags_fit && found.marked && !response.truncated;
  return settle(std::move(verdict), truncated_is_wrong_);
}

ExactVerifier::ExactVerifier(OptionReader options)
    : thinking_(options.thinking()),
      truncated_is_wrong_(options.truncated_is_wrong()),
      ignore_case_(options.boolean("ignore_case", false)),
      ignore_space_(options.boolean("ignore_space", false)) {
  options.finish();
}

std::string ExactVerifier::fold(std::string_view text) const {
  std::string folded(trim(text));
  if (ignore_case_) folded = to_lower(folded);
  if (ignore_space_) std::erase_if(folded, [](unsigned char c) { return std::isspace(c) != 0; });
  return folded;
}

Verdict ExactVerifier::verify(const Response& response, std::string_view gold) const {
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  if (trim(graded.text).empty()) return not_graded(response, "the answer is empty");
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = shortened(graded.text);
  verdict.format_ok = graded.tags_fit && !response.truncated;
  verdict.correct = fold(graded.text) == fold(gold);
  verdict.reason = verdict.correct ? "same text" : "another text";
  return settle(std::move(verdict), truncated_is_wrong_);
}

NumericVerifier::NumericVerifier(OptionReader options)
    : thinking_(options.thinking()), truncated_is_wrong_(options.truncated_is_wrong()) {
  equivalence_.percent = PercentRule::ignore;
  equivalence_.tolerance = options.non_negative("tolerance", 0);
  options.finish();
}

Verdict NumericVerifier::verify(const Response& response, std::string_view gold) const {
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  const auto number = last_number(graded.text);
  if (!number) return not_graded(response, "no number found");
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = shortened(*number);
  verdict.format_ok = graded.tags_fit && !response.truncated;
  const auto result = compare_answers(gold, *number, equivalence_);
  verdict.correct = result.equal;
  verdict.reason = result.reason;
  return settle(std::move(verdict), truncated_is_wrong_);
}

BoxedExactVerifier::BoxedExactVerifier(OptionReader options)
    : require_thinking_end_(options.boolean("require_thinking_end", true)),
      end_text_(options.text("end_text", "<eos>")) {
  options.finish();
}

Verdict BoxedExactVerifier::verify(const Response& response, std::string_view gold) const {
  auto text = trim(response.text);
  if (!end_text_.empty() && text.ends_with(end_text_)) text = trim(text.substr(0, text.size() - end_text_.size()));
  Verdict verdict;
  verdict.truncated = response.truncated;
  const auto box = last_box(text);
  verdict.answer_found = box.state == BoxState::closed && !trim(box.content).empty();
  if (verdict.answer_found) verdict.answer = shortened(box.content);
  const auto tags = read_thinking(text, response.prompt_text);
  if (response.truncated) {
    verdict.reason = "truncated";
  } else if (require_thinking_end_ && tags.closes != 1) {
    verdict.reason = fmt::format("{} </think> instead of one", tags.closes);
  } else if (!verdict.answer_found || box.end != text.size()) {
    verdict.reason = "does not end with \\boxed{ }";
  } else {
    verdict.format_ok = true;
    verdict.correct = trim(box.content) == trim(gold);
    verdict.reason = verdict.correct ? "same text" : "another answer";
  }
  return verdict;
}

std::vector<std::string> verifier_names() {
  return {"math",         "exact",     "numeric",    "boxed_exact", "code",
          "instructions", "countdown", "game_of_24", "sudoku",      "alphametic"};
}

bool has_structured_gold(std::string_view verifier) {
  return verifier == "code" || verifier == "instructions" || verifier == "countdown" || verifier == "game_of_24" ||
         verifier == "sudoku" || verifier == "alphametic";
}

std::unique_ptr<Verifier> make_verifier(std::string_view name, const VerifierOptions& options) {
  const OptionReader reader(name, options);
  if (name == "math") return std::make_unique<MathVerifier>(reader);
  if (name == "exact") return std::make_unique<ExactVerifier>(reader);
  if (name == "numeric") return std::make_unique<NumericVerifier>(reader);
  if (name == "boxed_exact") return std::make_unique<BoxedExactVerifier>(reader);
  if (name == "code") return std::make_unique<CodeVerifier>(reader);
  if (name == "instructions") return std::make_unique<InstructionsVerifier>(reader);
  if (name == "countdown" || name == "game_of_24") return std::make_unique<NumbersVerifier>(std::string(name), reader);
  if (name == "sudoku") return std::make_unique<SudokuVerifier>(reader);
  if (name == "alphametic") return std::make_unique<AlphameticVerifier>(reader);
  fail(ErrorKind::usage, "unknown verifier `{}`{}; there are {}", name, did_you_mean(name, verifier_names()),
       join(verifier_names(), ", "));
}

}  // namespace laconic::rewards

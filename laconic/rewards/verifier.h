// A verifier says whether a response is right: a rule over the text, without tensors or state.
//
// verify() is thread-safe and never throws for what a model may write; all but `code`, which runs programs, are linear
// in the text. make_verifier() throws for what a user may configure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::rewards {

struct Response {
  // The completion with its forced tokens, thinking tags kept (decode without dropping <think> and </think>).
  std::string_view text;
  bool truncated = false;        // ended at the token limit: no end-of-sequence token was sampled
  std::string_view prompt_text;  // the rendered prompt; says whether thinking was already opened there. May be empty.
};

struct Verdict {
  bool correct = false;
  bool format_ok = false;  // as the verifier defines it; never true when truncated
  bool answer_found = false;
  bool truncated = false;
  std::string answer;                       // as it stood in the text, trimmed; "" when none was found
  std::string reason;                       // one short phrase: why it is right or wrong
  std::optional<double> tests_passed = {};  // share of the problem's tests or instructions; of verifiers with several
};

// What a gold text is good for, told before anything is sampled for its prompt.
struct GoldUse {
  bool skip = false;        // the prompt is to be left out
  std::string reason = {};  // why
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual Verdict verify(const Response& response, std::string_view gold) const = 0;
  virtual std::string name() const = 0;
  // The answer inside a gold text as data sets give it; the text itself unless the verifier knows better.
  virtual std::string gold_answer(std::string_view gold) const { return std::string(gold); }
  // A gold text that cannot be used is an Error of kind input that says why; verify() throws the same one.
  virtual GoldUse gold_use(std::string_view /*gold*/) const { return {}; }
};

// Option name -> value as written in a configuration. An unknown name or an unusable value is an Error of kind usage
// that names the nearest valid one.
using VerifierOptions = std::map<std::string, std::string>;

// name         options (default)
// all but boxed_exact have `truncated` = wrong | graded (wrong): what a completion that met its limit can still be
// math         thinking = auto | required | ignore (auto), policy = math_verify | strict | lenient (math_verify), and
//              over the policy's values: require_box, one_box, last_number, percent = ignore | exact | any, tolerance,
//              ordered_lists, simplified, rounded, loose (policy.h and equivalence.h)
// exact        thinking (auto), ignore_case (false), ignore_space (false)
// numeric      thinking (auto), tolerance (0, relative)
// boxed_exact  require_thinking_end (true), end_text (<eos>)
// code         thinking (auto), language = auto | python | cpp (auto), compare = lines | tokens | exact (lines),
// timeout
//              (10, seconds for a test), build_timeout (30), all_timeout (60, for all tests), tests (0 = all),
//              stop_at_failure (false), memory_mib (512), processes (16), output_kib (1024), scratch_mib (64), python,
//              compiler, flags (programs, and options of the compiler), sandbox = auto | bubblewrap | namespaces | none
//              (auto)
// instructions thinking (auto), reading = strict | loose (strict), unsupported = fail | skip_prompt (fail)
// countdown    thinking (auto), uses = all | some (all): each given number exactly once, or at most once
// game_of_24   the same
// sudoku, alphametic  thinking (auto)
std::unique_ptr<Verifier> make_verifier(std::string_view name, const VerifierOptions& options = {});
std::vector<std::string> verifier_names();
// Whether the gold field of a verifier may be a list or an object (tests, instructions, puzzles), as JSON.
bool has_structured_gold(std::string_view verifier);

}  // namespace laconic::rewards

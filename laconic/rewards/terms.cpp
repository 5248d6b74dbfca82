#include "laconic/rewards/terms.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/format.h"
#include "laconic/rewards/repetition_terms.h"

namespace laconic::rewards {
namespace {

double truth(bool value) {
  return value ? 1 : 0;
}

double repetition(const TermInput& input, const RepetitionTerm& term) {
  if (term.words) return repetition_penalty(input.text, term.ngram, term.max_penalty);
  return repetition_penalty(input.ids, term.ngram, term.max_penalty);
}

}  // namespace

std::vector<std::string> term_names() {
  return {"correct", "answer_found", "format",        "think_answer", "tag_count",  "thinking",        "steps",
          "boxed",   "hash",         "cosine_length", "overlong",     "repetition", "relative_length", "tests_passed"};
}

bool is_group_term(std::string_view name) {
  return name == "relative_length";
}

double term(std::string_view name, const TermInput& input, const TermOptions& options) {
  if (name == "correct") return truth(input.verdict->correct);
  if (name == "answer_found") return truth(input.verdict->answer_found);
  if (name == "format") return thinking_format(input.text, input.prompt_text);
  if (name == "think_answer") return think_answer_format(input.text);
  if (name == "tag_count") return tag_count_format(input.text);
  if (name == "thinking") return thinking_content(input.text);
  if (name == "steps") return reasoning_steps(input.text);
  if (name == "boxed") return truth(last_box(input.text).state == BoxState::closed);
  if (name == "hash") return truth(after_hashes(input.text).has_value());
  if (name == "cosine_length") return cosine_length(options.cosine, input.verdict->correct, input.length, input.limit);
  if (name == "tests_passed") return input.verdict->tests_passed.value_or(truth(input.verdict->correct));
  if (name == "overlong") return soft_overlong(input.length, input.limit, options.overlong_buffer);
  if (name == "repetition") return repetition(input, options.repetition);
  fail(ErrorKind::usage, "unknown reward term `{}`{}; there are {}", name, did_you_mean(name, term_names()),
       join(term_names(), ", "));
}

}  // namespace laconic::rewards

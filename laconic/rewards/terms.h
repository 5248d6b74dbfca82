// Reward terms by name: what objective.reward_weights weighs beside the verdict. Each is a small pure function
// (format.h, length_terms.h, repetition_terms.h) of one completion, or of a group's lengths.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/length_terms.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

struct RepetitionTerm {
  int ngram = 3;
  double max_penalty = -1;
  bool words = false;  // n-grams of words instead of tokens
};

struct TermOptions {
  CosineLength cosine;
  RepetitionTerm repetition;
  int64_t overlong_buffer = 0;
};

// One completion. `limit` is the run's limit of completion tokens.
struct TermInput {
  std::string_view text;
  std::string_view prompt_text;
  std::span<const int32_t> ids;
  int64_t length = 0;
  int64_t limit = 0;
  const Verdict* verdict = nullptr;
};

// name             value
// correct          0 or 1: the verdict
// answer_found     0 or 1: the verdict found an answer
// format           0 or 1: exactly one </think> behind <think> (here or in the prompt)
// think_answer     0 or 1: <think> ... </think> <answer> ... </answer>, each on its own line, and nothing else
// tag_count        a quarter for each of these four tags that stands exactly once
// thinking         1: something stands between <think> and </think>; 0.2: only a tag does
// tests_passed     0 to 1: the share of the problem's tests that pass; of verifiers without tests: the verdict
// steps            up to 1: a third for each "Step 1:", "First,", bullet or numbered line
// boxed, hash      0 or 1: there is a closed \boxed{}, or a line with #### and an answer
// cosine_length    see CosineLength
// overlong         see soft_overlong()
// repetition       see repetition_penalty()
// relative_length  see relative_lengths(); of the whole group
std::vector<std::string> term_names();
bool is_group_term(std::string_view name);

// The value of a term that is none of a group. An unknown name is an Error of kind usage.
double term(std::string_view name, const TermInput& input, const TermOptions& options);

}  // namespace laconic::rewards

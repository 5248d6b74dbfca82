// The instructions of a prompt that can be checked by a rule, from the gold field of a data set: the ids and arguments
// of IFEval (Zhou et al., Instruction-Following Evaluation for Large Language Models, 2023).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::rewards {

enum class InstructionKind {
  keywords_existence,
  keywords_frequency,
  forbidden_words,
  letter_frequency,
  response_language,
  number_sentences,
  number_paragraphs,
  number_words,
  paragraph_first_word,
  number_placeholders,
  postscript,
  number_bullets,
  constrained_response,
  number_highlights,
  multiple_sections,
  json_format,
  title,
  two_responses,
  repeat_prompt,
  end_checker,
  quotation,
  capital_words,
  english_capital,
  english_lowercase,
  no_comma,
};

struct Instruction {
  InstructionKind kind{};
  std::string id;                       // length_constraints:number_words
  int64_t count = 0;                    // how many of what the kind counts
  bool at_least = true;                 // relation: at least, or less than
  int64_t paragraph = 0;                // of paragraph_first_word, from 1
  std::string text;                     // keyword, letter, marker, phrase, prompt, first word
  std::vector<std::string> words = {};  // keywords, forbidden words
};

std::vector<std::string> instruction_ids();

// A gold field is {"instruction_id_list": [id, ...], "kwargs": [{...}, ...]}, one object of arguments for each id, in
// which null stands for what is absent; a list of one such object, and `instruction_id` for the first name, are the
// same. An id or an argument that does not exist, is missing or has an unusable value is an Error of kind input that
// names the nearest valid one.
std::vector<Instruction> parse_instructions(std::string_view gold);

// The first instruction that cannot be checked here (the language of a response); null when there is none.
const Instruction* first_unsupported(const std::vector<Instruction>& instructions);

}  // namespace laconic::rewards

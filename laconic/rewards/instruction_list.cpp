#include "laconic/rewards/instruction_list.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/characters.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::ordered_json;

enum class Part { count, relation, paragraph, text, words };
struct Parameter {
  const char* name;
  Part part;
};
struct Definition {
  const char* id;
  InstructionKind kind;
  std::vector<Parameter> parameters;
};

const std::vector<Definition>& definitions() {
  using enum Part;
  static const std::vector<Definition> kAll = {
      {"keywords:existence", InstructionKind::keywords_existence, {{"keywords", words}}},
      {"keywords:frequency",
       InstructionKind::keywords_frequency,
       {{"keyword", text}, {"frequency", count}, {"relation", relation}}},
      {"keywords:forbidden_words", InstructionKind::forbidden_words, {{"forbidden_words", words}}},
      {"keywords:letter_frequency",
       InstructionKind::letter_frequency,
       {{"letter", text}, {"let_frequency", count}, {"let_relation", relation}}},
      {"language:response_language", InstructionKind::response_language, {{"language", text}}},
      {"length_constraints:number_sentences",
       InstructionKind::number_sentences,
       {{"num_sentences", count}, {"relation", relation}}},
      {"length_constraints:number_paragraphs", InstructionKind::number_paragraphs, {{"num_paragraphs", count}}},
      {"length_constraints:number_words",
       InstructionKind::number_words,
       {{"num_words", count}, {"relation", relation}}},
      {"length_constraints:nth_paragraph_first_word",
       InstructionKind::paragraph_first_word,
       {{"num_paragraphs", count}, {"nth_paragraph", paragraph}, {"first_word", text}}},
      {"detectable_content:number_placeholders", InstructionKind::number_placeholders, {{"num_placeholders", count}}},
      {"detectable_content:postscript", InstructionKind::postscript, {{"postscript_marker", text}}},
      {"detectable_format:number_bullet_lists", InstructionKind::number_bullets, {{"num_bullets", count}}},
      {"detectable_format:constrained_response", InstructionKind::constrained_response, {}},
      {"detectable_format:number_highlighted_sections",
       InstructionKind::number_highlights,
       {{"num_highlights", count}}},
      {"detectable_format:multiple_sections",
       InstructionKind::multiple_sections,
       {{"section_spliter", text}, {"num_sections", count}}},
      {"detectable_format:json_format", InstructionKind::json_format, {}},
      {"detectable_format:title", InstructionKind::title, {}},
      {"combination:two_responses", InstructionKind::two_responses, {}},
      {"combination:repeat_prompt", InstructionKind::repeat_prompt, {{"prompt_to_repeat", text}}},
      {"startend:end_checker", InstructionKind::end_checker, {{"end_phrase", text}}},
      {"startend:quotation", InstructionKind::quotation, {}},
      {"change_case:capital_word_frequency",
       InstructionKind::capital_words,
       {{"capital_frequency", count}, {"capital_relation", relation}}},
      {"change_case:english_capital", InstructionKind::english_capital, {}},
      {"change_case:english_lowercase", InstructionKind::english_lowercase, {}},
      {"punctuation:no_comma", InstructionKind::no_comma, {}}};
  return kAll;
}

std::string shown(const Json& value) {
  constexpr size_t kShown = 80;
  return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kShown);
}

[[noreturn]] void wrong(const std::string& where, const char* expected, const Json& found) {
  fail(ErrorKind::input, "the instructions in the gold field: {}: expected {}, found {}", where, expected,
       shown(found));
}

int64_t whole(const Json& value, const std::string& where) {
  constexpr double kMost = 1e9;
  const double number = value.is_number() ? value.get<double>() : -1;
  if (!(number >= 0) || number > kMost || number != std::floor(number)) wrong(where, "a whole number from 0", value);
  return static_cast<int64_t>(number);
}

std::string words_of(const Json& value, const std::string& where) {
  if (!value.is_string()) wrong(where, "a text", value);
  const std::string visible = without_invisible(value.get_ref<const std::string&>());  // as responses are read
  if (trim(visible).empty()) wrong(where, "a text", value);
  return std::string(trim(visible));
}

void set(Instruction& instruction, Part part, const Json& value, const std::string& where) {
  switch (part) {
    case Part::count:
      instruction.count = whole(value, where);
      return;
    case Part::paragraph:
      instruction.paragraph = whole(value, where);
      if (instruction.paragraph < 1) wrong(where, "a paragraph, counted from 1", value);
      return;
    case Part::relation:
      if (value != "at least" && value != "less than") wrong(where, "`at least` or `less than`", value);
      instruction.at_least = value == "at least";
      return;
    case Part::text:
      instruction.text = words_of(value, where);
      return;
    case Part::words:
      if (!value.is_array() || value.empty()) wrong(where, "a list of words", value);
      instruction.words.reserve(value.size());
      for (const auto& word : value) instruction.words.push_back(words_of(word, where));
      return;
  }
}

const Definition& definition_of(const Json& id, const std::string& where) {
  if (!id.is_string()) wrong(where, "the id of an instruction", id);
  const auto& name = id.get_ref<const std::string&>();
  for (const auto& definition : definitions()) {
    if (name == definition.id) return definition;
  }
  fail(ErrorKind::input, "the instructions in the gold field: {}: unknown instruction `{}`{}; there are {}", where,
       name, did_you_mean(name, instruction_ids()), join(instruction_ids(), ", "));
}

Instruction read_instruction(const Json& id, const Json& arguments, const std::string& place) {
  const auto& definition = definition_of(id, "instruction_id_list" + place);
  const std::string where = fmt::format("kwargs{} of {}", place, definition.id);
  Instruction instruction;
  instruction.kind = definition.kind;
  instruction.id = definition.id;
  if (!arguments.is_object() && !arguments.is_null()) wrong(where, "an object of arguments", arguments);
  std::vector<std::string> names;
  for (const auto& parameter : definition.parameters) {
    names.emplace_back(parameter.name);
    const auto value = arguments.is_object() ? arguments.find(parameter.name) : arguments.end();
    if (value == arguments.end() || value->is_null()) {
      std::vector<std::string> given;
      for (const auto& [name, item] : arguments.items())
        if (!item.is_null()) given.push_back(name);
      fail(ErrorKind::input, "the instructions in the gold field: {}: expected `{}`{}, found {}", where, parameter.name,
           did_you_mean(parameter.name, given), given.empty() ? "nothing" : join(given, ", "));
    }
    set(instruction, parameter.part, *value, where + "." + parameter.name);
  }
  for (const auto& [name, value] : arguments.items()) {
    if (value.is_null() || std::find(names.begin(), names.end(), name) != names.end()) continue;
    fail(ErrorKind::input, "the instructions in the gold field: {}: unknown argument `{}`{}; there {} {}", where, name,
         did_you_mean(name, names), names.size() == 1 ? "is" : "are", names.empty() ? "none" : join(names, ", "));
  }
  if (instruction.kind == InstructionKind::letter_frequency && code_points(instruction.text).size() != 1)
    wrong(where + ".letter", "one letter", Json(instruction.text));
  if (instruction.kind == InstructionKind::paragraph_first_word && instruction.paragraph > instruction.count)
    wrong(where + ".nth_paragraph", "at most num_paragraphs", Json(instruction.paragraph));
  return instruction;
}

}  // namespace

std::vector<std::string> instruction_ids() {
  std::vector<std::string> ids;
  ids.reserve(definitions().size());
  for (const auto& definition : definitions()) ids.emplace_back(definition.id);
  return ids;
}

std::vector<Instruction> parse_instructions(std::string_view gold) {
  Json value = json_levels(gold) <= kMaxJsonLevels ? Json::parse(gold, nullptr, /*allow_exceptions=*/false) : Json();
  if (value.is_array() && value.size() == 1) value = Json(value[0]);
  if (!value.is_object())
    fail(ErrorKind::input,
         "the gold field holds no instructions: expected {{\"instruction_id_list\": [...], \"kwargs\": [...]}}, found "
         "{}",
         gold.substr(0, 80));
  const char* list = value.contains("instruction_id_list") ? "instruction_id_list" : "instruction_id";
  const Json ids = value.value(list, Json()), arguments = value.value("kwargs", Json());
  if (!ids.is_array() || ids.empty()) wrong("instruction_id_list", "a list of ids", ids);
  if (!arguments.is_array() || arguments.size() != ids.size())
    wrong("kwargs", "a list of objects, as long as instruction_id_list", arguments);
  std::vector<Instruction> instructions;
  instructions.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i)
    instructions.push_back(read_instruction(ids[i], arguments[i], "[" + std::to_string(i) + "]"));
  return instructions;
}

const Instruction* first_unsupported(const std::vector<Instruction>& instructions) {
  const auto found = std::find_if(instructions.begin(), instructions.end(),
                                  [](const Instruction& i) { return i.kind == InstructionKind::response_language; });
  return found == instructions.end() ? nullptr : &*found;
}

}  // namespace laconic::rewards

#include "laconic/core/data/presets.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

Preset plain(std::string name, ColumnNames prompt, ColumnNames answer, ColumnNames id = {}) {
  return {std::move(name), std::move(prompt), std::move(answer), {}, std::move(id), "", {}, "", {}, "math"};
}

std::vector<Preset> make_presets() {
  Preset gsm8k = plain("gsm8k", {"question"}, {"answer"});
  gsm8k.answer_from = "after_hashes";
  // The solutions end in a box; the answer stands nowhere else.
  Preset math = plain("math", {"problem"}, {"solution"});
  math.answer_from = "boxed";
  Preset gpqa = plain("gpqa", {"Question"}, {"Correct Answer"}, {"Record ID"});
  gpqa.wrong = {"Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"};
  // The last ones: as programs write them that keep the gold answer in an object.
  Preset countdown = plain("countdown", {"nums", "numbers", "input", "reward_model.ground_truth.numbers"},
                           {"target", "output", "reward_model.ground_truth.target"});
  countdown.form =
      "Use each of the numbers {prompt} once, with +, -, * and /, to make an expression that equals {answer}.";
  countdown.answer_parts = {{"numbers", countdown.prompt}, {"target", countdown.answer}};
  countdown.verifier = "countdown";
  Preset aime = plain("aime", {"problem", "Problem", "question", "Question"}, {"answer", "Answer"}, {"id", "ID"});
  aime.solution = {"solution", "Solution"};
  Preset ifeval = plain("ifeval", {"prompt"}, {"instruction_id_list"}, {"key"});
  ifeval.answer_parts = {{"instruction_id_list", {"instruction_id_list"}}, {"kwargs", {"kwargs"}}};
  ifeval.verifier = "instructions";
  return {gsm8k, math, plain("math_500", {"problem"}, {"answer"}, {"unique_id"}),
          plain("deepscaler", {"problem"}, {"answer"}),
          // extra_info.index is no id: each problem stands in the published file about a hundred times.
          plain("dapo_math_17k", {"prompt"}, {"reward_model.ground_truth"}),
          plain("deepmath_103k", {"question"}, {"final_answer"}), plain("openr1_math", {"problem"}, {"answer"}), aime,
          plain("amc", {"problem", "question"}, {"answer"}, {"id"}), gpqa, countdown, ifeval};
}

bool has(const Json& record, const ColumnNames& names) {
  return find_column(record, names) != nullptr;
}

bool holds(const Json& record, const ColumnNames& names, std::string_view part) {
  const Json* value = find_column(record, names);
  return value != nullptr && value->is_string() && value->get_ref<const std::string&>().find(part) != std::string::npos;
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = make_presets();
  return all;
}

const Preset& preset_named(const std::string& name) {
  const auto found = std::find_if(presets().begin(), presets().end(), [&](const Preset& p) { return p.name == name; });
  if (found != presets().end()) return *found;
  fail(ErrorKind::usage, "unknown data preset `{}`{}; there are {}", name, did_you_mean(name, dataset_presets()),
       join(dataset_presets(), ", "));
}

std::optional<std::string> guess_preset(const Json& record) {
  // The question alone is not the prompt of these.
  for (const char* name : {"choices", "options", "body", "Body", "context", "passage"}) {
    const Json* value = find_column(record, {name});
    if (value != nullptr && !value->is_null()) return std::nullopt;
  }
  for (const char* name : {"nums", "numbers", "reward_model.ground_truth.numbers"}) {
    if (has(record, {name}) && has(record, preset_named("countdown").answer)) return "countdown";
  }
  // From the most telling columns to those that many sets share.
  for (const char* name : {"gpqa", "dapo_math_17k", "deepmath_103k"}) {
    const auto& preset = preset_named(name);
    if (has(record, preset.prompt) && has(record, preset.answer)) return name;
  }
  if (has(record, {"question"}) && holds(record, {"answer"}, "####")) return "gsm8k";
  if (has(record, {"unique_id"}) && has(record, {"problem"}) && has(record, {"answer"})) return "math_500";
  if (has(record, {"problem"}) && !has(record, {"answer"}) && holds(record, {"solution"}, "\\boxed")) return "math";
  if (has(record, {"prompt"}) && has(record, {"instruction_id_list"}) && has(record, {"kwargs"})) return "ifeval";
  for (const char* name : {"deepscaler", "aime"}) {
    const auto& preset = preset_named(name);
    if (has(record, preset.prompt) && has(record, preset.answer)) return name;
  }
  return std::nullopt;
}

std::vector<std::string> dataset_presets() {
  std::vector<std::string> names;
  names.reserve(presets().size());
  for (const auto& preset : presets()) names.push_back(preset.name);
  return names;
}

}  // namespace laconic::data

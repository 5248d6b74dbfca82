// Columns of published data sets, by the names that they were published with (docs/data.md says which were checked
// against a file and which against a data set's card).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/data/columns.h"

namespace laconic::data {

struct Preset {
  std::string name;
  ColumnNames prompt;
  ColumnNames answer;
  ColumnNames solution;     // used where the record has no `answer`: its last box
  ColumnNames id;           // used where the record has one of them
  std::string answer_from;  // "" = whole
  ColumnNames wrong;        // multiple choice: all of these hold wrong options, `answer` the right one
  std::string form;         // text of the prompt around {prompt} and {answer}, where the columns are no prompt
  // The answer as a JSON object of several columns, by its keys; then `answer` is used in the form alone.
  std::vector<std::pair<std::string, ColumnNames>> answer_parts;
  std::string verifier = "math";  // that the answers are for
};

const std::vector<Preset>& presets();
// An unknown name is an Error of kind usage with the nearest one.
const Preset& preset_named(const std::string& name);

// The preset that a record looks like, for tools that are given a file and no columns.
std::optional<std::string> guess_preset(const nlohmann::ordered_json& record);

}  // namespace laconic::data

// Values of a record: found by the name of their column, and turned into the texts that an example is made of.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/data/dataset.h"

namespace laconic::data {

// What is wrong with one record; whoever reads the file adds the place.
struct BrokenRecord {
  std::string reason;
};
template <typename... Args>
[[noreturn]] void broken(fmt::format_string<Args...> format, Args&&... args) {
  throw BrokenRecord{fmt::format(format, std::forward<Args>(args)...)};
}

// Names under which a column may stand, the likeliest first; each the name of a column or a path through nested
// objects, such as reward_model.ground_truth. A column's own name may hold dots.
using ColumnNames = std::vector<std::string>;

// The value of the first name that the record has; null where it has none.
const nlohmann::ordered_json* find_column(const nlohmann::ordered_json& record, const ColumnNames& names);
// The same, where a missing column breaks the record.
const nlohmann::ordered_json& need_column(const nlohmann::ordered_json& record, const ColumnNames& names);

// "no column `answr` (did you mean `answer`?); the record has ...": `holder` is "record" or "file".
std::string missing_column(const ColumnNames& names, const std::vector<std::string>& found, std::string_view holder);

// The name of the column at the top level that a path begins with, where `found` are the names there.
std::string top_level(const std::string& name, const std::vector<std::string>& found);

// Text of a scalar: strings as they are, numbers and truth values as JSON writes them. Anything else breaks the record,
// and so does a number beyond 2^53 with a fraction or exponent: it has lost digits on the way. `name` is for messages.
std::string scalar_text(const nlohmann::ordered_json& value, const std::string& name);
// The same; a list of scalars is joined with ", ".
std::string scalars_text(const nlohmann::ordered_json& value, const std::string& name);
// Messages {role, content} of a chat.
std::vector<Message> chat_messages(const nlohmann::ordered_json& value, const std::string& name);

// The part of an answer column that is the answer, trimmed.
std::string pick_answer(const std::string& text, AnswerFrom from);

}  // namespace laconic::data

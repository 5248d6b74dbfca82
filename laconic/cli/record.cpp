#include "laconic/cli/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Json error_object(int64_t line, const Problem& problem) {
  return {{"error", {{"kind", to_string(problem.kind)}, {"message", problem.message}, {"line", line}}}};
}

std::string told(const Line& line, const Problem& problem) {
  return fmt::format("line {}: {}", line.number, problem.message);
}

// The line is itself the failure of an earlier filter.
bool is_failure(const Json& object) {
  const auto error = object.find("error");
  return error != object.end() && error->is_object() && error->contains("kind") && error->contains("message") &&
         error->contains("line");
}

}  // namespace

Record::Record(Line line, const std::vector<std::string>& field_names)
    : line_(std::move(line)), field_names_(field_names), object_(parse_object(line_.text)) {}

Answer Record::answer(const Json& added) const {
  Answer answer;
  const auto raw = raw_fields(line_.text);
  const auto append = [&answer](std::string_view field) {
    answer.text += answer.text.empty() ? "{" : ",";
    answer.text += field;
  };
  size_t i = 0;
  for (const auto& item : object_.items()) {
    const std::string_view field = raw[i++];
    if (contains(field_names_, item.key()) || added.contains(item.key())) continue;
    append(field);
    // Passed on as everything unknown is, but a misspelled field would else be lost without a word.
    const std::string near = nearest(item.key(), field_names_);
    if (item.key().size() >= 4 && !near.empty() && !object_.contains(near)) {
      answer.notes.push_back(
          fmt::format("the field `{}` is not read, only passed on (did you mean `{}`?)", item.key(), near));
    }
  }
  const std::string result = dump_line(added);
  if (!added.empty()) append(std::string_view(result).substr(1, result.size() - 2));
  answer.text += answer.text.empty() ? "{}" : "}";
  return answer;
}

Answer Record::failure(const Problem& problem) const {
  // What failed before keeps its own reason.
  if (is_failure(object_))
    return {line_.text, true, fmt::format("line {}: it failed in an earlier filter", line_.number), {}};
  Json object = error_object(line_.number, problem);
  if (object_.contains("id")) object["id"] = object_["id"];
  return {dump_line(object), true, told(line_, problem), {}};
}

Answer failure(const Line& line, const Problem& problem) {
  return {dump_line(error_object(line.number, problem)), true, told(line, problem), {}};
}

}  // namespace laconic::cli

#include "laconic/core/data/columns.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "laconic/core/base/strings.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

// The value under a name or path; null where it is absent.
const Json* find_path(const Json& object, std::string_view path) {
  if (!object.is_object()) return nullptr;
  if (const auto whole = object.find(std::string(path)); whole != object.end()) return &*whole;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    const auto first = object.find(std::string(path.substr(0, dot)));
    if (first == object.end()) continue;
    if (const Json* value = find_path(*first, path.substr(dot + 1))) return value;
  }
  return nullptr;
}

// What follows the last \boxed or \fbox.
std::optional<std::string_view> last_box(std::string_view text) {
  std::optional<std::string_view> last;
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    for (size_t at = text.rfind(command); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : text.rfind(command, at - 1)) {
      const auto behind = text.substr(at + command.size());
      const bool longer = !behind.empty() && std::isalpha(static_cast<unsigned char>(behind.front())) != 0;
      if (longer) continue;  // another command
      if (!last || behind.size() < last->size()) last = behind;
      break;
    }
  }
  return last;
}

std::vector<std::string> names_of(const Json& record) {
  std::vector<std::string> names;
  for (const auto& [key, value] : record.items()) names.push_back(key);
  return names;
}

}  // namespace

const Json* find_column(const Json& record, const ColumnNames& names) {
  for (const auto& name : names) {
    if (const Json* value = find_path(record, name)) return value;
  }
  return nullptr;
}

const Json& need_column(const Json& record, const ColumnNames& names) {
  const Json* value = find_column(record, names);
  if (value == nullptr) throw BrokenRecord{missing_column(names, names_of(record), "record")};
  return *value;
}

std::string missing_column(const ColumnNames& names, const std::vector<std::string>& found, std::string_view holder) {
  std::string wanted, near;
  for (const auto& name : names) {
    wanted += fmt::format("{}`{}`", wanted.empty() ? "" : " or ", name);
    if (near.empty()) near = did_you_mean(name, found);
  }
  return fmt::format("no column {}{}; the {} has {}", wanted, near, holder, found.empty() ? "none" : join(found, ", "));
}

std::string top_level(const std::string& name, const std::vector<std::string>& found) {
  const auto has = [&](const std::string& part) { return std::find(found.begin(), found.end(), part) != found.end(); };
  if (has(name)) return name;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (has(name.substr(0, dot))) return name.substr(0, dot);
  }
  return name;
}

std::string scalar_text(const Json& value, const std::string& name) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) broken("column `{}` holds {}, expected a number", name, number);
    if (std::fabs(number) > 9007199254740992.0)
      broken("column `{}` holds a number too large to be read exactly; write it as a string", name);
  }
  if (value.is_number() || value.is_boolean()) return value.dump();
  broken("column `{}` must be a string or a number, found {}", name, value.type_name());
}

std::string scalars_text(const Json& value, const std::string& name) {
  if (!value.is_array()) return scalar_text(value, name);
  std::vector<std::string> parts;
  for (const auto& item : value) parts.push_back(scalar_text(item, name));
  return join(parts, ", ");
}

std::vector<Message> chat_messages(const Json& value, const std::string& name) {
  if (!value.is_array()) broken("column `{}` must be an array of messages, found {}", name, value.type_name());
  std::vector<Message> messages;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto& item = value[i];
    const bool good = item.is_object() && item.contains("role") && item.contains("content") &&
                      item["role"].is_string() && item["content"].is_string();
    if (!good) broken("message {} of column `{}` must be an object with the strings `role` and `content`", i, name);
    messages.push_back({item["role"].get<std::string>(), item["content"].get<std::string>()});
  }
  return messages;
}

std::string pick_answer(const std::string& text, AnswerFrom from) {
  if (from == AnswerFrom::whole) return std::string(trim(text));
  if (from == AnswerFrom::after_hashes) {
    const size_t at = text.rfind("####");
    if (at == std::string::npos) broken("the answer has no `####`");
    return std::string(trim(std::string_view(text).substr(at + 4)));
  }
  const auto box = last_box(text);
  if (!box) broken("the answer has no \\boxed{{}}");
  const std::string_view content = trim(*box);
  if (!content.starts_with('{')) return std::string(trim(content.substr(0, content.find_first_of("$\n"))));
  int depth = 0;
  for (size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '{') ++depth;
    if (content[i] == '}' && --depth == 0) return std::string(trim(content.substr(1, i - 1)));
  }
  broken("the last \\boxed{{ of the answer is not closed");
}

}  // namespace laconic::data

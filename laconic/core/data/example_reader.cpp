#include "laconic/core/data/example_reader.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/multiple_choice.h"
#include "laconic/core/data/presets.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPlace = "{prompt}";

// Replaces each `place` of a text.
std::string filled(const std::string& form, std::string_view place, const std::string& value) {
  std::string text;
  size_t at = 0;
  for (size_t next = form.find(place); next != std::string::npos; next = form.find(place, at)) {
    text.append(form, at, next - at).append(value);
    at = next + place.size();
  }
  return text.append(form, at);
}

AnswerFrom answer_way(const std::string& name) {
  const std::vector<std::string> ways = {"whole", "after_hashes", "boxed"};
  if (name.empty()) return AnswerFrom::whole;
  const auto way = std::find(ways.begin(), ways.end(), name);
  if (way == ways.end()) {
    fail(ErrorKind::usage, "unknown answer_from `{}`{}; there are {}", name, did_you_mean(name, ways),
         join(ways, ", "));
  }
  return static_cast<AnswerFrom>(way - ways.begin());
}

ColumnNames names_of(const std::string& option) {
  return option.empty() ? ColumnNames{} : ColumnNames{option};
}

// Splits a chat into what is rendered and what is learned, and applies template and system message.
void fill_chat(Example& example, std::vector<Message> messages, const DatasetOptions& options) {
  if (!messages.empty() && messages.back().role == "assistant") {
    if (options.response_column.empty()) example.response = messages.back().content;
    messages.pop_back();
  }
  const auto user = std::find_if(messages.rbegin(), messages.rend(), [](const Message& m) { return m.role == "user"; });
  if (user == messages.rend()) broken("the chat has no user message");
  if (trim(user->content).empty()) broken("the prompt is empty");
  user->content = filled(options.prompt_template, kPlace, user->content);
  example.prompt = user->content;
  if (!options.system.empty() && messages.front().role != "system")
    messages.insert(messages.begin(), {"system", options.system});
  example.messages = std::move(messages);
}

}  // namespace

ExampleReader::ExampleReader(const DatasetOptions& options, std::string label)
    : options_(options),
      prompt_(names_of(options.prompt_column)),
      answer_(names_of(options.answer_column)),
      id_(names_of(options.id_column)),
      wrong_(options.choice_columns),
      format_(format_of(options.path, options.format)),
      label_(std::move(label)) {
  const std::string path = options.path.string();
  std::string way = options.answer_from;
  if (!options.preset.empty()) {
    const auto& preset = preset_named(options.preset);
    if (prompt_.empty() && options.messages_column.empty()) {
      prompt_ = preset.prompt;
      form_ = preset.form;
    }
    // A preset's way to read its answer column says nothing about another column.
    const bool own = !answer_.empty() && answer_ != preset.answer;
    if (!own && way.empty()) way = preset.answer_from;
    if (!own && wrong_.empty()) wrong_ = preset.wrong;
    if (!own && options.answer_from.empty()) answer_parts_ = preset.answer_parts;
    if (answer_.empty() && options.answer_from.empty()) solution_ = preset.solution;
    if (answer_.empty()) answer_ = preset.answer;
    if (id_.empty()) id_ = preset.id;
  }
  if (answer_.empty() && !way.empty()) fail(ErrorKind::usage, "{}: answer_from `{}` needs answer_column", path, way);
  if (answer_.empty() && !wrong_.empty()) fail(ErrorKind::usage, "{}: choice_columns needs answer_column", path);
  if (wrong_.size() > 25)
    fail(ErrorKind::usage, "{}: expected at most 25 choice_columns, found {}", path, wrong_.size());
  if (!wrong_.empty() && !options.messages_column.empty())
    fail(ErrorKind::usage, "{}: choice_columns needs prompt_column instead of messages_column", path);
  answer_from_ = answer_way(way);
  if (prompt_.empty() == options.messages_column.empty()) {
    fail(ErrorKind::usage, "{}: set {} prompt_column and messages_column", path,
         prompt_.empty() ? "one of" : "only one of");
  }
  if (options.prompt_template.find(kPlace) == std::string::npos)
    fail(ErrorKind::usage, "prompt_template must hold {{prompt}}, found `{}`", options.prompt_template);
}

std::vector<ColumnNames> ExampleReader::needed() const {
  std::vector<ColumnNames> all = {prompt_.empty() ? names_of(options_.messages_column) : prompt_};
  if (!answer_.empty()) {
    all.push_back(answer_);
    all.back().insert(all.back().end(), solution_.begin(), solution_.end());
  }
  for (const auto& [key, names] : answer_parts_) all.push_back(names);
  for (const auto& name : wrong_) all.push_back({name});
  if (!options_.response_column.empty()) all.push_back({options_.response_column});
  if (!options_.id_column.empty()) all.push_back(id_);
  return all;
}

std::vector<std::string> ExampleReader::columns_of(const std::vector<std::string>& found) const {
  const auto has = [&](const std::string& name) { return std::find(found.begin(), found.end(), name) != found.end(); };
  std::vector<std::string> read;
  const auto take = [&](const ColumnNames& names) {
    bool any = false;
    for (const auto& name : names) {
      const auto top = top_level(name, found);
      if (!has(top)) continue;
      any = true;
      read.push_back(top);
    }
    return any;
  };
  for (const auto& names : needed()) {
    if (!take(names)) fail(ErrorKind::input, "{}: {}", options_.path.string(), missing_column(names, found, "file"));
  }
  take(id_);
  return read;
}

std::string ExampleReader::user_text(const Json& record, Example& example) const {
  const Json& value = need_column(record, prompt_);
  if (!form_.empty()) {
    const std::string text = filled(form_, kPlace, scalars_text(value, prompt_.front()));
    return filled(text, "{answer}", scalar_text(need_column(record, answer_), answer_.front()));
  }
  std::string text = scalar_text(value, prompt_.front());
  if (wrong_.empty()) return text;
  if (trim(text).empty()) broken("the prompt is empty");
  std::vector<std::string> options;
  for (const auto& name : wrong_) {
    options.emplace_back(trim(scalar_text(need_column(record, {name}), name)));
    if (options.back().empty()) broken("the option in column `{}` is empty", name);
  }
  auto choice = multiple_choice(std::string(trim(text)), example.answer, options, options_.choice_seed);
  example.answer = std::move(choice.answer);
  return choice.prompt;
}

void ExampleReader::read_prompt(const Json& record, Example& example) const {
  const std::string& messages = options_.messages_column;
  const Json& value = need_column(record, messages.empty() ? prompt_ : names_of(messages));
  const bool is_chat = !messages.empty() || (value.is_array() && form_.empty() && wrong_.empty());
  fill_chat(example,
            is_chat ? chat_messages(value, messages.empty() ? prompt_.front() : messages)
                    : std::vector<Message>{{"user", user_text(record, example)}},
            options_);
}

void ExampleReader::read_answer(const Json& record, Example& example) const {
  if (answer_.empty()) return;
  if (!answer_parts_.empty()) {
    Json parts;
    for (const auto& [key, names] : answer_parts_) parts[key] = need_column(record, names);
    example.answer = parts.dump();
    return;
  }
  const bool in_solution = find_column(record, solution_) != nullptr && find_column(record, answer_) == nullptr;
  const auto& names = in_solution ? solution_ : answer_;
  const Json& value = need_column(record, names);
  const bool as_json = options_.json_answers && value.is_structured();
  const std::string text = as_json ? value.dump() : scalar_text(value, names.front());
  example.answer = pick_answer(text, in_solution ? AnswerFrom::boxed : answer_from_);
  if (example.answer.empty()) broken("the answer is empty");
}

Example ExampleReader::read(Record&& record, size_t index) const {
  if (!record.reason.empty()) throw BrokenRecord{record.reason};
  Example example;
  const Json& value = record.value;
  need_column(value, needed().front());  // told first: without it nothing fits
  read_answer(value, example);
  read_prompt(value, example);  // of multiple choice the answer becomes a letter
  if (!options_.response_column.empty()) {
    example.response = scalar_text(need_column(value, {options_.response_column}), options_.response_column);
    if (trim(example.response).empty()) broken("the response is empty");
  }
  const Json* id = options_.id_column.empty() ? find_column(value, id_) : &need_column(value, id_);
  if (id == nullptr) {
    example.id = fmt::format("{}:{}", label_, index);
  } else {
    example.id = scalar_text(*id, id_.front());
    if (example.id.empty()) broken("the id is empty");
  }
  example.source = record.source;
  if (options_.keep_columns) example.columns = std::move(record.value);
  return example;
}

}  // namespace laconic::data

#include "laconic/core/data/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/records.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

// What is wrong with one record; load_dataset adds the place.
struct BrokenRecord {
  std::string reason;
};
template <typename... Args>
[[noreturn]] void broken(fmt::format_string<Args...> format, Args&&... args) {
  throw BrokenRecord{fmt::format(format, std::forward<Args>(args)...)};
}

struct Preset {
  const char* name;
  const char* prompt;
  const char* answer;
  const char* id;
  const char* answer_from;
};
constexpr std::array<Preset, 3> kPresets = {{{"gsm8k", "question", "answer", "", "after_hashes"},
                                             {"math500", "problem", "answer", "unique_id", "whole"},
                                             {"deepscaler", "problem", "answer", "", "whole"}}};

// Options with the preset filled in and checked.
struct Plan {
  DatasetOptions options;
  AnswerFrom answer_from = AnswerFrom::whole;
  std::string format;
};

std::string format_of(const DatasetOptions& options) {
  const std::vector<std::string> formats = {"jsonl", "json", "csv", "tsv"};
  if (options.format != "auto") {
    if (std::find(formats.begin(), formats.end(), options.format) == formats.end()) {
      fail(ErrorKind::usage, "unknown data format `{}`{}; there are auto, {}", options.format,
           did_you_mean(options.format, formats), join(formats, ", "));
    }
    return options.format;
  }
  auto path = options.path;
  if (path.extension() == ".gz") path.replace_extension();
  const std::string extension = to_lower(path.extension().string());
  for (const auto& format : formats) {
    if (extension == "." + format) return format;
  }
  if (extension == ".ndjson") return "jsonl";
  fail(ErrorKind::usage, "{}: the format cannot be told from the name; set it to one of {}", options.path.string(),
       join(formats, ", "));
}

Plan make_plan(const DatasetOptions& options) {
  Plan plan{options, AnswerFrom::whole, format_of(options)};
  auto& o = plan.options;
  const auto fill = [](std::string& value, const char* preset) {
    if (value.empty()) value = preset;
  };
  if (!o.preset.empty()) {
    const auto found =
        std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& p) { return o.preset == p.name; });
    if (found == kPresets.end()) {
      fail(ErrorKind::usage, "unknown data preset `{}`{}; there are {}", o.preset,
           did_you_mean(o.preset, dataset_presets()), join(dataset_presets(), ", "));
    }
    if (o.messages_column.empty()) fill(o.prompt_column, found->prompt);
    // A preset's way to read its answer column says nothing about another column.
    if (o.answer_column.empty() || o.answer_column == found->answer) fill(o.answer_from, found->answer_from);
    fill(o.answer_column, found->answer);
    fill(o.id_column, found->id);
  }
  if (!o.answer_from.empty() && o.answer_column.empty()) {
    fail(ErrorKind::usage, "{}: answer_from `{}` needs answer_column", o.path.string(), o.answer_from);
  }
  fill(o.answer_from, "whole");
  const std::vector<std::string> ways = {"whole", "after_hashes", "boxed"};
  const auto way = std::find(ways.begin(), ways.end(), o.answer_from);
  if (way == ways.end()) {
    fail(ErrorKind::usage, "unknown answer_from `{}`{}; there are {}", o.answer_from, did_you_mean(o.answer_from, ways),
         join(ways, ", "));
  }
  plan.answer_from = static_cast<AnswerFrom>(way - ways.begin());
  if (o.prompt_column.empty() == o.messages_column.empty()) {
    fail(ErrorKind::usage, "{}: set {} prompt_column and messages_column", o.path.string(),
         o.prompt_column.empty() ? "one of" : "only one of");
  }
  if (o.prompt_template.find("{prompt}") == std::string::npos) {
    fail(ErrorKind::usage, "prompt_template must hold {{prompt}}, found `{}`", o.prompt_template);
  }
  return plan;
}

const Json& column(const Json& record, const std::string& name) {
  const auto found = record.find(name);
  if (found != record.end()) return *found;
  std::vector<std::string> names;
  for (const auto& [key, value] : record.items()) names.push_back(key);
  broken("no column `{}`{}; the record has {}", name, did_you_mean(name, names),
         names.empty() ? "none" : join(names, ", "));
}

// Text of a scalar column: strings as they are, numbers and truth values as JSON writes them. Beyond 2^53 a number has
// lost digits on the way, so its text would not be what the file says.
std::string scalar(const Json& value, const std::string& name) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float() && std::fabs(value.get<double>()) > 9007199254740992.0) {
    broken("column `{}` holds a number too large to be read exactly; write it as a string", name);
  }
  if (value.is_number() || value.is_boolean()) return value.dump();
  broken("column `{}` must be a string or a number, found {}", name, value.type_name());
}

std::vector<Message> chat(const Json& value, const std::string& name) {
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
  constexpr std::string_view kBox = "\\boxed{";
  const size_t box = text.rfind(kBox);
  if (box == std::string::npos) broken("the answer has no \\boxed{{}}");
  int depth = 1;
  for (size_t i = box + kBox.size(); i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0)
      return std::string(trim(std::string_view(text).substr(box + kBox.size(), i - box - kBox.size())));
  }
  broken("the last \\boxed{{ of the answer is not closed");
}

std::string apply_template(const std::string& form, const std::string& prompt) {
  constexpr std::string_view kPlace = "{prompt}";
  std::string text;
  size_t at = 0;
  for (size_t next = form.find(kPlace); next != std::string::npos; next = form.find(kPlace, at)) {
    text.append(form, at, next - at).append(prompt);
    at = next + kPlace.size();
  }
  return text.append(form, at);
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
  user->content = apply_template(options.prompt_template, user->content);
  example.prompt = user->content;
  if (!options.system.empty() && messages.front().role != "system")
    messages.insert(messages.begin(), {"system", options.system});
  example.messages = std::move(messages);
}

Example make_example(Json&& record, const Plan& plan) {
  const auto& options = plan.options;
  Example example;
  const std::string& name = options.messages_column.empty() ? options.prompt_column : options.messages_column;
  const auto& prompt = column(record, name);
  const bool is_chat = !options.messages_column.empty() || prompt.is_array();
  fill_chat(example, is_chat ? chat(prompt, name) : std::vector<Message>{{"user", scalar(prompt, name)}}, options);
  if (!options.answer_column.empty()) {
    example.answer =
        pick_answer(scalar(column(record, options.answer_column), options.answer_column), plan.answer_from);
    if (example.answer.empty()) broken("the answer is empty");
  }
  if (!options.response_column.empty()) {
    example.response = scalar(column(record, options.response_column), options.response_column);
    if (trim(example.response).empty()) broken("the response is empty");
  }
  if (!options.id_column.empty()) {
    example.id = scalar(column(record, options.id_column), options.id_column);
    if (example.id.empty()) broken("the id is empty");
  }
  example.columns = std::move(record);
  return example;
}

// Collects examples and skips, and says when enough was read.
class Collector {
 public:
  explicit Collector(const Plan& plan) : plan_(plan), options_(plan.options) {
    auto stem = options_.path;
    if (stem.extension() == ".gz") stem.replace_extension();
    stem_ = stem.stem().string();
  }

  bool add(Record&& record) {
    const size_t index = records_++;
    try {
      if (!record.reason.empty()) broken("{}", record.reason);
      auto example = make_example(std::move(record.value), plan_);
      example.source = record.source;
      if (options_.id_column.empty()) {
        example.id = fmt::format("{}:{}", stem_, index);
      } else {
        const auto [first, fresh] = places_.emplace(example.id, record.source);
        if (!fresh) broken("id `{}` was used before, at {}", example.id, first->second);
      }
      if (usable_++ >= options_.offset) data_.examples.push_back(std::move(example));
    } catch (const BrokenRecord& error) {
      if (options_.on_error == OnError::fail) fail(ErrorKind::input, "{}: {}", record.source, error.reason);
      if (++data_.skipped <= kReasonsKept) data_.first_skipped.push_back({record.source, error.reason});
    }
    return options_.limit == 0 || data_.examples.size() < options_.limit;
  }

  Dataset finish() {
    if (!data_.examples.empty()) return std::move(data_);
    const std::string path = options_.path.string();
    if (records_ == 0) fail(ErrorKind::input, "{}: there is no record in the file", path);
    if (usable_ == 0) {
      fail(ErrorKind::input, "{}: none of the {} records is usable; the first: {}: {}", path, records_,
           data_.first_skipped[0].source, data_.first_skipped[0].reason);
    }
    fail(ErrorKind::input, "{}: offset {} leaves none of the {} examples", path, options_.offset, usable_);
  }

 private:
  const Plan& plan_;
  const DatasetOptions& options_;
  std::string stem_;
  Dataset data_;
  std::unordered_map<std::string, std::string> places_;  // of the ids that a column gives
  size_t records_ = 0;
  size_t usable_ = 0;
};

}  // namespace

std::vector<std::string> dataset_presets() {
  std::vector<std::string> names;
  names.reserve(kPresets.size());
  for (const auto& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

Dataset load_dataset(const DatasetOptions& options) {
  const Plan plan = make_plan(options);
  const std::string text = read_maybe_gz(options.path);
  const std::string name = options.path.string();
  if (trim(text).empty()) fail(ErrorKind::input, "{}: the file is empty", name);
  Collector collector(plan);
  const RecordSink sink = [&collector](Record&& record) { return collector.add(std::move(record)); };
  if (plan.format == "jsonl") {
    read_jsonl(text, name, sink);
  } else if (plan.format == "json") {
    read_json_array(text, name, sink);
  } else {
    read_csv(text, name, plan.format == "csv" ? ',' : '\t', sink);
  }
  return collector.finish();
}

}  // namespace laconic::data

#include "laconic/core/data/records.h"

#include <algorithm>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/parquet.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

// `one_line`: the text is a line of a file, and the parser's line number says nothing.
std::string json_problem(const nlohmann::json::exception& error, bool one_line) {
  constexpr std::string_view kLine = "at line 1, ";
  std::string reason = parser_reason(error.what());
  if (const size_t at = one_line ? reason.find(kLine) : std::string::npos; at != std::string::npos)
    reason.replace(at, kLine.size(), "at ");
  return "not valid JSON: " + reason.substr(0, 300);
}

// What would take a recursion too deep, here or in whoever gets the record; "" where nothing does.
std::string nesting_problem(std::string_view text) {
  const size_t levels = json_levels(text);
  if (levels <= kMaxJsonLevels) return "";
  return fmt::format("nested {} levels deep, expected at most {}", levels, kMaxJsonLevels);
}

void check_object(Record& record) {
  if (record.value.is_object()) return;
  record.reason = fmt::format("expected a JSON object, found {}", record.value.type_name());
}

// Notes the first key that stands twice in one object: JSON lets the later value win, and nobody would see that the
// earlier one is gone.
class KeyWatch {
 public:
  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == Json::parse_event_t::key) {
      open_.back().push_back(parsed.get<std::string>());
    } else if (event == Json::parse_event_t::object_end) {
      close(open_.back());
      open_.pop_back();
    }
    return true;
  }
  const std::string& twice() const { return twice_; }

 private:
  void close(std::vector<std::string>& keys) {
    std::sort(keys.begin(), keys.end());
    const auto found = std::adjacent_find(keys.begin(), keys.end());
    if (found != keys.end() && twice_.empty()) twice_ = fmt::format("the key `{}` stands twice in one object", *found);
  }

  std::vector<std::vector<std::string>> open_;  // the keys so far of each object that is being read
  std::string twice_;
};

// Throws nlohmann's errors. `reason` says what is wrong with a text that can be parsed; else it stays as it is.
Json parse_watched(std::string_view text, std::string& reason) {
  KeyWatch watch;
  // The parser copies its callback; the watch stays here.
  Json value = Json::parse(
      text, [&watch](int depth, Json::parse_event_t event, Json& parsed) { return watch(depth, event, parsed); });
  if (!watch.twice().empty()) reason = watch.twice();
  return value;
}

// Whether the first line of several is an object by itself.
bool is_json_lines(std::string_view text) {
  const auto line = trim(text.substr(0, text.find('\n')));
  return line.starts_with('{') && json_levels(line) <= kMaxJsonLevels && Json::accept(line);
}

Record parse_line(std::string_view line, std::string source) {
  Record record{std::move(source), nullptr, "", line};
  if (const size_t bad = first_invalid_utf8(line); bad != std::string_view::npos) {
    record.reason = fmt::format("not valid UTF-8 at byte {} of the line", bad + 1);
    return record;
  }
  record.reason = nesting_problem(line);
  if (!record.reason.empty()) return record;
  try {
    record.value = parse_watched(line, record.reason);
    if (record.reason.empty()) check_object(record);
  } catch (const nlohmann::json::exception& error) {
    record.reason = json_problem(error, /*one_line=*/true);
  }
  if (!record.reason.empty()) record.value = nullptr;
  return record;
}

}  // namespace

void read_jsonl(TextReader& text, const std::string& name, const RecordSink& sink) {
  std::string_view line;
  for (size_t number = 1; text.line(line); ++number) {
    line = trim(line);
    if (line.empty()) continue;
    if (!sink(parse_line(line, fmt::format("{}:{}", name, number)))) return;
  }
}

void read_json_array(TextReader& reader, const std::string& name, const RecordSink& sink) {
  const std::string text = reader.rest();
  if (const size_t bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
    fail(ErrorKind::input, "{}:{}: not valid UTF-8 at byte {} of the file", name, line, bad + 1);
  }
  Json array;
  std::string reason = nesting_problem(text);
  try {
    if (reason.empty()) array = parse_watched(text, reason);
  } catch (const nlohmann::json::exception& error) {
    reason = json_problem(error, /*one_line=*/false);
  }
  if (!reason.empty() && is_json_lines(text)) reason = "one object per line, which is the format `jsonl`";
  if (!reason.empty()) fail(ErrorKind::input, "{}: {}", name, reason);
  if (!array.is_array()) {
    fail(ErrorKind::input, "{}: expected an array of objects, found {} (one object per line is format `jsonl`)", name,
         array.type_name());
  }
  for (size_t i = 0; i < array.size(); ++i) {
    Record record{fmt::format("{}:[{}]", name, i), std::move(array[i]), "", {}};
    check_object(record);
    if (!record.reason.empty()) record.value = nullptr;
    if (!sink(std::move(record))) return;
  }
}

const std::vector<std::string>& record_formats() {
  static const std::vector<std::string> formats = {"jsonl", "json", "csv", "tsv", "parquet"};
  return formats;
}

std::string format_of(const std::filesystem::path& path, const std::string& wanted) {
  const auto& formats = record_formats();
  if (wanted != "auto") {
    if (std::find(formats.begin(), formats.end(), wanted) == formats.end()) {
      fail(ErrorKind::usage, "unknown data format `{}`{}; there are auto, {}", wanted, did_you_mean(wanted, formats),
           join(formats, ", "));
    }
    return wanted;
  }
  const std::string extension = to_lower(without_compression(path).extension().string());
  for (const auto& format : formats) {
    if (extension == "." + format) return format;
  }
  if (extension == ".ndjson") return "jsonl";
  fail(ErrorKind::usage, "{}: the format cannot be told from the name; set it to one of {}", path.string(),
       join(formats, ", "));
}

void read_records(const std::filesystem::path& path, const std::string& format, const std::vector<std::string>& columns,
                  const RecordSink& sink) {
  if (format == "parquet") return read_parquet(path, columns, sink);
  const std::string name = path.string();
  TextReader text(open_bytes(path));
  if (text.blank()) fail(ErrorKind::input, "{}: the file is empty", name);
  if (format == "jsonl") {
    read_jsonl(text, name, sink);
  } else if (format == "json") {
    read_json_array(text, name, sink);
  } else {
    read_csv(text, name, format == "csv" ? ',' : '\t', sink);
  }
}

}  // namespace laconic::data

#include "laconic/core/data/records.h"

#include <algorithm>
#include <set>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

std::string_view without_bom(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

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

Record parse_line(std::string_view line, std::string source) {
  Record record{std::move(source), nullptr, ""};
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

// One CSV record: its fields, the line on which it begins, and what is wrong with it.
struct CsvRow {
  std::vector<std::string> fields;
  size_t line = 0;
  bool blank = false;  // an empty line
  std::string reason;
};

class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool done() const { return at_ >= text_.size(); }

  CsvRow next() {
    CsvRow row;
    row.line = line_;
    row.blank = at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r');
    for (;;) {
      row.fields.emplace_back();
      if (at_ < text_.size() && text_[at_] == '"') {
        read_quoted(row);
      } else {
        while (at_ < text_.size() && !ends_field(text_[at_])) {
          if (text_[at_] == '"' && row.reason.empty())
            row.reason = fmt::format("a quote inside of the unquoted field {}", row.fields.size());
          row.fields.back() += text_[at_++];
        }
      }
      if (at_ < text_.size() && text_[at_] == separator_) {
        ++at_;
        continue;
      }
      end_line();
      return row;
    }
  }

 private:
  bool ends_field(char c) const { return c == separator_ || c == '\n' || c == '\r'; }

  void end_line() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  void read_quoted(CsvRow& row) {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        row.fields.back() += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        row.fields.back() += '"';
        ++at_;
      } else {
        break;
      }
    }
    if (at_ >= text_.size()) {
      row.reason = fmt::format("the quote that opens field {} is never closed", row.fields.size());
      return;
    }
    ++at_;
    if (at_ < text_.size() && !ends_field(text_[at_])) {
      row.reason = fmt::format("text behind the closing quote of field {}", row.fields.size());
      while (at_ < text_.size() && !ends_field(text_[at_])) ++at_;
    }
  }

  std::string_view text_;
  char separator_;
  size_t at_ = 0;
  size_t line_ = 1;
};

std::vector<std::string> read_header(CsvReader& reader, const std::string& name) {
  const auto header = reader.next();
  if (!header.reason.empty()) fail(ErrorKind::input, "{}:1: {}", name, header.reason);
  std::set<std::string> seen;
  for (const auto& column : header.fields) {
    if (first_invalid_utf8(column) != std::string_view::npos)
      fail(ErrorKind::input, "{}:1: the header is not valid UTF-8", name);
    if (trim(column).empty()) fail(ErrorKind::input, "{}:1: the header has a column without a name", name);
    if (!seen.insert(column).second) fail(ErrorKind::input, "{}:1: the header names column `{}` twice", name, column);
  }
  return header.fields;
}

}  // namespace

void read_jsonl(std::string_view text, const std::string& name, const RecordSink& sink) {
  text = without_bom(text);
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto line = trim(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    if (!sink(parse_line(line, fmt::format("{}:{}", name, number)))) return;
  }
}

void read_json_array(std::string_view text, const std::string& name, const RecordSink& sink) {
  text = without_bom(text);
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
  if (!reason.empty()) fail(ErrorKind::input, "{}: {}", name, reason);
  if (!array.is_array()) {
    fail(ErrorKind::input, "{}: expected an array of objects, found {} (one object per line is format `jsonl`)", name,
         array.type_name());
  }
  for (size_t i = 0; i < array.size(); ++i) {
    Record record{fmt::format("{}:[{}]", name, i), std::move(array[i]), ""};
    check_object(record);
    if (!record.reason.empty()) record.value = nullptr;
    if (!sink(std::move(record))) return;
  }
}

void read_csv(std::string_view text, const std::string& name, char separator, const RecordSink& sink) {
  CsvReader reader(without_bom(text), separator);
  if (reader.done()) return;
  const auto columns = read_header(reader, name);
  while (!reader.done()) {
    auto row = reader.next();
    if (row.blank) continue;
    Record record{fmt::format("{}:{}", name, row.line), nullptr, row.reason};
    if (record.reason.empty() && row.fields.size() != columns.size()) {
      record.reason = fmt::format("{} fields, the header has {}", row.fields.size(), columns.size());
    }
    for (size_t i = 0; record.reason.empty() && i < columns.size(); ++i) {
      if (first_invalid_utf8(row.fields[i]) != std::string_view::npos) {
        record.reason = fmt::format("column `{}` is not valid UTF-8", columns[i]);
      } else {
        record.value[columns[i]] = std::move(row.fields[i]);
      }
    }
    if (!record.reason.empty()) record.value = nullptr;
    if (!sink(std::move(record))) return;
  }
}

}  // namespace laconic::data

#include <set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/records.h"

namespace laconic::data {
namespace {

// One CSV record: its fields, the line on which it begins, and what is wrong with it.
struct CsvRow {
  std::vector<std::string> fields;
  size_t line = 0;
  bool blank = false;  // an empty line
  std::string reason;
};

class CsvReader {
 public:
  CsvReader(TextReader& text, char separator) : text_(text), separator_(separator) {}

  bool done() { return text_.peek() < 0; }

  CsvRow next() {
    CsvRow row;
    row.line = line_;
    row.blank = text_.peek() == '\n' || text_.peek() == '\r';
    for (;;) {
      row.fields.emplace_back();
      if (text_.peek() == '"') {
        read_quoted(row);
      } else {
        while (!ends_field(text_.peek())) {
          if (text_.peek() == '"' && row.reason.empty())
            row.reason = fmt::format("a quote inside of the unquoted field {}", row.fields.size());
          row.fields.back() += static_cast<char>(text_.get());
        }
      }
      if (text_.peek() == separator_) {
        text_.get();
        continue;
      }
      end_line();
      return row;
    }
  }

 private:
  bool ends_field(int c) const { return c == separator_ || c == '\n' || c == '\r' || c < 0; }

  void end_line() {
    if (text_.peek() == '\r') text_.get();
    if (text_.peek() == '\n') text_.get();
    ++line_;
  }

  void read_quoted(CsvRow& row) {
    text_.get();
    for (int c = text_.get(); c != '"' || text_.peek() == '"'; c = text_.get()) {
      if (c < 0) {
        row.reason = fmt::format("the quote that opens field {} is never closed", row.fields.size());
        return;
      }
      if (c == '"') text_.get();  // doubled
      if (c == '\n') ++line_;
      row.fields.back() += static_cast<char>(c);
    }
    if (ends_field(text_.peek())) return;
    row.reason = fmt::format("text behind the closing quote of field {}", row.fields.size());
    while (!ends_field(text_.peek())) text_.get();
  }

  TextReader& text_;
  char separator_;
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

void read_csv(TextReader& text, const std::string& name, char separator, const RecordSink& sink) {
  CsvReader reader(text, separator);
  if (reader.done()) return;
  const auto columns = read_header(reader, name);
  while (!reader.done()) {
    auto row = reader.next();
    if (row.blank) continue;
    Record record{fmt::format("{}:{}", name, row.line), nullptr, row.reason, {}};
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

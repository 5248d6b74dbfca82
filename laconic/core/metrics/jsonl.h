// JSON lines: one object per line, whole lines only, in the file before the call returns.
//
// Numbers are written in their shortest form that reads back to the same bits. JSON has no non-finite numbers: they are
// written as the strings "NaN", "Infinity" and "-Infinity", so that none is lost or turned into null. Bytes that are
// not UTF-8 (a completion cut inside a character) become U+FFFD.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/metrics/append_file.h"
#include "laconic/core/metrics/row.h"

namespace laconic::metrics {

// {"step": ..., then the entries in their order}.
nlohmann::ordered_json to_json(const MetricRow& row);

// The text of one line without its newline.
std::string json_line(const nlohmann::ordered_json& value);

// The same rules, indented, with a newline at the end: for files that hold one object.
std::string pretty_json(const nlohmann::ordered_json& value);

class JsonlWriter {
 public:
  using Mode = AppendFile::Mode;

  JsonlWriter(const std::filesystem::path& path, Mode mode) : file_(path, mode) {}

  // Error(io) also where the file is no longer there under its name.
  void write(const nlohmann::ordered_json& object);
  void write(const MetricRow& row);

  // For a resumed run: cuts the file before its first row with "step" > step, and an unfinished last line (a crash) in
  // any case, so that what follows makes the file byte-identical to that of an uninterrupted run. Rows must stand in
  // the order of their steps, as a run writes them. A finished line that is not an object with an integer "step" is an
  // Error(input) with file and line. Returns the number of lines dropped.
  int64_t truncate_after(int64_t step);

  // Of the last row that truncate_after() left.
  std::optional<int64_t> last_step() const { return last_step_; }

  void clear() { file_.truncate(0); }
  void sync() { file_.sync(); }

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
  std::optional<int64_t> last_step_;
};

// All rows of a JSON-lines file. A last line without its newline that does not parse (a crash) is left out, and `note`
// says so; any other malformed line is an Error(input) with file, line and reason.
struct JsonlContent {
  std::vector<nlohmann::ordered_json> rows;
  std::vector<int64_t> lines;  // of each row, counted from 1
  std::string note;
};
JsonlContent read_jsonl(const std::filesystem::path& path);

}  // namespace laconic::metrics

// Lines from a file or stream, and lines to one.
#pragma once

#include <cstdint>
#include <fstream>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "laconic/core/base/files.h"

namespace laconic::cli {

// Where lines come from. A last line may lack its newline; a byte-order mark in front of the first is taken off.
class LineSource {
 public:
  // `path`: "" or "-" for `standard_input`. A file that cannot be opened is an Error of kind usage.
  LineSource(const std::string& path, std::istream& standard_input);

  // Whether a read would find something at once, as far as the system tells.
  bool ready() { return stream_->rdbuf()->in_avail() > 0; }
  // The next line; nothing at the end.
  std::optional<std::string> next();
  int64_t lines() const { return lines_; }  // read so far
  bool standard() const { return stream_ != &file_; }

 private:
  std::ifstream file_;
  std::istream* stream_;
  std::string name_;
  int64_t lines_ = 0;
};

// Where lines go. A regular file appears under its name only when finish() has made it complete, so that nobody reads
// half of it; until then it is a neighbour of that name. Pipes and devices are written as they are.
class LineSink {
 public:
  // `path`: "" or "-" for `standard_output`. `input_path`: the file that is read meanwhile; the same one for both is an
  // Error of kind usage.
  LineSink(const std::string& path, const std::string& input_path, std::ostream& standard_output);

  void write(std::string_view line);
  void flush();  // what was written so far reaches the reader of a pipe
  void finish();

 private:
  std::ofstream device_;
  std::ostream* stream_ = nullptr;  // null where the file is atomic
  std::unique_ptr<AtomicFile> atomic_;
  std::string buffer_;
};

}  // namespace laconic::cli

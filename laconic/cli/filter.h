// What every JSON-lines filter shares: lines in, answers out in the order of the lines, failures counted.
//
// A line that is blank is skipped. A line that fails is answered by {"error": {"kind", "message", "line"}} and its
// `id`, the others go on, and the exit status is 1; --fail-fast ends after the first one. What is read ahead for a
// batch is only what has arrived already, so that a filter answers a person or a coprocess line by line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/cli/line_io.h"
#include "laconic/cli/record.h"
#include "laconic/cli/streams.h"

namespace laconic::cli {

// Declares --input, --output and --fail-fast.
void declare_filter_options(CommandLine& line);

// The lines of one run of a filter. Not thread-safe.
class FilterSession {
 public:
  // Opens --input and --output; an unusable one is an Error of kind usage.
  FilterSession(const CommandLine& line, Streams& streams);

  // The next line that is not blank. Nothing at the end of the input and, unless `wait`, when none has arrived yet.
  std::optional<Line> next(bool wait);

  // The answer to a line, in any order; written as soon as all lines before it are answered.
  void put(int64_t index, Answer answer);

  // Whether --fail-fast has struck: what is still in work is not wanted any more.
  bool stopped() const { return stopped_; }
  int64_t lines_read() const { return read_; }
  // Lines read whose answers are not written yet.
  int64_t pending() const { return read_ - written_; }

  // After the last answer: makes the output complete, reports failures to a person and returns the exit status.
  int finish();

 private:
  void write(const Answer& answer);

  std::string name_;
  Streams& streams_;
  bool fail_fast_ = false;
  LineSource source_;
  LineSink sink_;
  std::map<int64_t, Answer> waiting_;  // answers whose turn has not come
  std::set<std::string> notes_;        // told already
  int64_t read_ = 0, written_ = 0, failures_ = 0;
  std::string first_failure_;
  bool stopped_ = false;
};

// A filter that answers each line by itself. `work` returns the added fields; it runs on several threads at once where
// `threads` is above 1 (0 = all cores).
int run_line_filter(const CommandLine& line, Streams& streams, const std::vector<std::string>& field_names,
                    int64_t threads, const std::function<Json(const Fields&)>& work);

}  // namespace laconic::cli

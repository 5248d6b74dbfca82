// One line of a filter: read, answered, or failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "laconic/cli/fields.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/problem.h"

namespace laconic::cli {

struct Line {
  std::string text;    // as it stands in the input, without its newline
  int64_t number = 0;  // in the input, from 1, blank lines counted
  int64_t index = 0;   // among the lines that are not blank, from 0
};

// What goes out for a line.
struct Answer {
  std::string text;  // without its newline
  bool failed = false;
  std::string message;             // where it failed: "line 3: why"
  std::vector<std::string> notes;  // worth telling a person once
};

// A line that could be read. What a filter reads by name are its fields; the others are passed on.
class Record {
 public:
  // Errors as in parse_object(). `field_names`: those that the filter reads.
  Record(Line line, const std::vector<std::string>& field_names);

  const Line& line() const { return line_; }
  Fields fields() const { return Fields(object_); }

  // The other fields in their order, unchanged, then the added ones, which replace fields of their name.
  Answer answer(const Json& added) const;
  // The error and the line's `id`.
  Answer failure(const Problem& problem) const;

 private:
  Line line_;
  const std::vector<std::string>& field_names_;  // the filter's, which outlives its lines
  Json object_;
};

// A line that could not be read.
Answer failure(const Line& line, const Problem& problem);

// Reads the line and gives it to `work`, which may keep the record as the last thing it does. Whatever is thrown on the
// way becomes the line's failure; nothing where all went well.
template <typename Work>
std::optional<Answer> failure_of(const Line& line, const std::vector<std::string>& field_names, const Work& work) {
  std::optional<Record> record;
  try {
    record.emplace(line, field_names);
    work(*record);
    return std::nullopt;
  } catch (...) {
    const Problem problem = current_problem();
    return record ? record->failure(problem) : failure(line, problem);
  }
}

// The answer of a record, `work` giving the added fields, or its failure.
template <typename Work>
Answer answer_or_failure(const Record& record, const Work& work) {
  try {
    return record.answer(work());
  } catch (...) {
    return record.failure(current_problem());
  }
}

}  // namespace laconic::cli

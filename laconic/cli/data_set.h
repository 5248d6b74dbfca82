// The sets that `laconic data` works on: which columns of a file are what, said by options or told from the names of
// the columns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/core/data/dataset.h"

namespace laconic::cli {

struct DataSet {
  data::DatasetOptions options;
  bool guessed = false;  // the columns are those of a preset that the first records fit
};

// Declares --preset, --format and the options that name columns.
void declare_column_options(CommandLine& line);

// A set for each path. --preset may name one preset for all of them, or one for each separated by commas. Unusable
// options and files whose columns cannot be told are Errors of kind usage.
// `keep_records`: whether examples carry their whole records.
std::vector<DataSet> open_data_sets(const CommandLine& line, const std::vector<std::string>& paths, bool keep_records);

// A set whose columns are told from their names. `keep_records` as above.
DataSet guessed_data_set(const std::string& path, bool keep_records);

// Whether the set can be read only once.
bool is_pipe(const DataSet& set);

// The verifier that the set's answers are for, as its preset has it; math without one.
std::string verifier_of(const DataSet& set);

// "prompt `question`, answer `answer` (preset gsm8k, told from the columns)".
std::string describe_columns(const DataSet& set);

// What was left out, for a person and for the summary of a program.
struct Malformed {
  int64_t count = 0;
  std::vector<data::SkippedRecord> first;  // at most kReasonsKept

  void add(const data::SkippedRecord& record);
  // The first ones with their reasons, a line each, and how many more there are.
  std::vector<std::string> places() const;
  // An Error of kind input where there is any, which says how to go on without them.
  void check(const std::string& path, int64_t records) const;
};

// Declares --on-error: what becomes of malformed records.
void declare_on_error(CommandLine& line);
// Whether it says that they are left out.
bool skips_malformed(const CommandLine& line);

// Goes through a set, broken records included. Returns the number of records; a set without any is an Error.
size_t scan(const DataSet& set, const std::function<void(data::Example&&, std::string_view line)>& example,
            const std::function<void(const data::SkippedRecord&)>& broken);

// An example as a line of JSON: as it stands in the file, where that is JSON lines, else its columns.
std::string line_of(const data::Example& example, std::string_view line);

// Lines of `text` behind a heading, indented so that they stand apart.
std::string indented(const std::vector<std::string>& lines);

}  // namespace laconic::cli

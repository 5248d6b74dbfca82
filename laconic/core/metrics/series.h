// Curves read back from the files of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::metrics {

// One metric over the steps of a run; the two vectors have the same length and the steps ascend. Values may be NaN or
// infinite.
struct Series {
  std::string name;
  std::vector<int64_t> steps;
  std::vector<double> values;
};

struct SeriesTable {
  std::vector<Series> series;      // in the order of their first appearance
  std::vector<std::string> notes;  // what was left out and why (a cut last line, text values)

  const Series* find(std::string_view name) const;
};

// The numbers of a metrics.jsonl or timing.jsonl. "NaN" and "Infinity" become what they say; values that are no numbers
// are left out with a note. Rows out of order are put in order; of several rows of one step the last counts, with a
// note. Error(input) names file and line for a malformed line or a row without an integer "step".
SeriesTable load_series(const std::filesystem::path& path);

// metrics.jsonl and, where present, timing.jsonl and evaluations.jsonl of a run folder. A number `x` of the latter
// becomes "eval/x"; what else it holds is for other readers.
SeriesTable load_run_series(const std::filesystem::path& folder);

}  // namespace laconic::metrics

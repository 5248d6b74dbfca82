#include "laconic/core/metrics/series.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"

namespace laconic::metrics {
namespace {

std::optional<double> to_number(const nlohmann::ordered_json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

int64_t step_of(const nlohmann::ordered_json& row, const std::filesystem::path& path, int64_t line) {
  const auto step = row.find("step");
  if (step != row.end() && step->is_number_integer()) return step->get<int64_t>();
  fail(ErrorKind::input, "{}:{}: expected an integer \"step\", found `{}`", path.string(), line,
       json_line(row).substr(0, 80));
}

// Ascending steps, the last value of each. Returns how many values had to go.
size_t put_in_order(Series& series) {
  const auto not_ascending = [](int64_t a, int64_t b) { return a >= b; };
  if (std::adjacent_find(series.steps.begin(), series.steps.end(), not_ascending) == series.steps.end()) return 0;
  std::map<int64_t, double> last;
  for (size_t i = 0; i < series.steps.size(); ++i) last[series.steps[i]] = series.values[i];
  const size_t dropped = series.steps.size() - last.size();
  series.steps.clear();
  series.values.clear();
  for (const auto& [step, value] : last) {
    series.steps.push_back(step);
    series.values.push_back(value);
  }
  return dropped;
}

// All numbers of a file, their names behind `prefix`; the names of other values go to `no_numbers`.
SeriesTable read_table(const std::filesystem::path& path, const std::string& prefix,
                       std::set<std::string>& no_numbers) {
  const auto content = read_jsonl(path);
  SeriesTable table;
  if (!content.note.empty()) table.notes.push_back(content.note);
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < content.rows.size(); ++i) {
    const auto& row = content.rows[i];
    const int64_t step = step_of(row, path, content.lines[i]);
    for (const auto& [name, value] : row.items()) {
      if (name == "step") continue;
      const auto number = to_number(value);
      if (!number) {
        no_numbers.insert(name);
        continue;
      }
      const auto [at, added] = place.emplace(name, table.series.size());
      if (added) table.series.push_back({.name = prefix + name, .steps = {}, .values = {}});
      table.series[at->second].steps.push_back(step);
      table.series[at->second].values.push_back(*number);
    }
  }
  size_t repeated = 0;
  for (auto& series : table.series) repeated = std::max(repeated, put_in_order(series));
  if (repeated > 0) {
    table.notes.push_back(
        fmt::format("{}: {} steps stand there twice; the last counts", path.filename().string(), repeated));
  }
  return table;
}

}  // namespace

const Series* SeriesTable::find(std::string_view name) const {
  const auto at = std::find_if(series.begin(), series.end(), [&](const Series& s) { return s.name == name; });
  return at == series.end() ? nullptr : &*at;
}

SeriesTable load_series(const std::filesystem::path& path) {
  std::set<std::string> no_numbers;
  SeriesTable table = read_table(path, "", no_numbers);
  for (const auto& name : no_numbers) {
    table.notes.push_back(
        fmt::format("{}: values of `{}` that are no numbers were left out", path.filename().string(), name));
  }
  return table;
}

SeriesTable load_run_series(const std::filesystem::path& folder) {
  SeriesTable table = load_series(folder / "metrics.jsonl");
  const auto add = [&table](SeriesTable more) {
    std::move(more.series.begin(), more.series.end(), std::back_inserter(table.series));
    std::move(more.notes.begin(), more.notes.end(), std::back_inserter(table.notes));
  };
  if (std::filesystem::exists(folder / "timing.jsonl")) add(load_series(folder / "timing.jsonl"));
  std::set<std::string> ignored;
  if (std::filesystem::exists(folder / "evaluations.jsonl"))
    add(read_table(folder / "evaluations.jsonl", "eval/", ignored));
  return table;
}

}  // namespace laconic::metrics

#include "laconic/cli/data_set.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "laconic/cli/json_line.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/file_names.h"
#include "laconic/core/data/presets.h"
#include "laconic/core/data/records.h"

namespace laconic::cli {
namespace {

// Records that may be broken before one shows the columns.
constexpr int kLookedAt = 100;

struct FirstRecord {
  std::optional<std::string> preset;
  std::vector<std::string> columns;
  std::string broken;  // why the first one cannot be read, where none of those looked at can
};

FirstRecord look_at(const data::DatasetOptions& options) {
  FirstRecord first;
  int seen = 0;
  const auto file = data::files_of(options.path).front().path;
  data::read_records(file, data::format_of(file, options.format), {}, [&](data::Record&& record) {
    if (!record.reason.empty()) {
      if (seen == 0) first.broken = record.source + ": " + record.reason;
      return ++seen < kLookedAt;
    }
    first.broken.clear();
    first.preset = data::guess_preset(record.value);
    for (const auto& [name, value] : record.value.items()) first.columns.push_back(name);
    return false;
  });
  return first;
}

void guess_columns(DataSet& set) {
  auto& options = set.options;
  if (is_pipe(set)) {
    fail(ErrorKind::usage,
         "{}: a pipe is read once, and its columns cannot be looked at before; say --preset or --prompt-column (and "
         "--answer-column)",
         options.path.string());
  }
  const auto first = look_at(options);
  if (!first.broken.empty()) fail(ErrorKind::input, "none of the first records can be read: {}", first.broken);
  if (!first.preset) {
    fail(ErrorKind::usage,
         "{}: which column is the prompt cannot be told from the names: {}; say --prompt-column (and --answer-column), "
         "or --preset",
         options.path.string(), first.columns.empty() ? "there is no record" : join(first.columns, ", "));
  }
  options.preset = *first.preset;
  set.guessed = true;
}

std::vector<std::string> presets_for(const CommandLine& line, size_t files) {
  auto names = split(line.text("preset", ""), ',');
  if (names.size() == 1) names.resize(files, names.front());
  if (names.size() != files)
    fail(ErrorKind::usage, "--preset: expected one name, or one for each of the {} files, found {}", files,
         names.size());
  for (const auto& name : names) {
    if (!name.empty()) data::preset_named(name);
  }
  return names;
}

data::ColumnNames answers_of(const data::Preset& preset) {
  auto names = preset.answer;
  names.insert(names.end(), preset.solution.begin(), preset.solution.end());
  return names;
}

}  // namespace

bool is_pipe(const DataSet& set) {
  std::error_code ignored;
  return std::filesystem::is_fifo(set.options.path, ignored);
}

void declare_column_options(CommandLine& line) {
  line.section("Columns (without any they are told from their names)");
  line.option("preset", "NAME[,NAME]",
              "those of a published set: " + join(data::dataset_presets(), ", ") + "; one for all files, or one each");
  line.option("prompt-column", "NAME", "the prompt; a.b is column b of the object in column a");
  line.option("messages-column", "NAME", "chat messages, instead of --prompt-column");
  line.option("answer-column", "NAME", "the gold answer");
  line.option("answer-from", "WAY", "which part of it: whole, after_hashes, boxed");
  line.option("response-column", "NAME", "the response, for fine-tuning");
  line.option("id-column", "NAME", "what names an example; default: file and record");
  line.option("format", "NAME", "auto (by the file's name), " + join(data::record_formats(), ", "));
}

std::vector<DataSet> open_data_sets(const CommandLine& line, const std::vector<std::string>& paths, bool keep_records) {
  const auto presets = presets_for(line, paths.size());
  std::vector<DataSet> sets;
  for (size_t i = 0; i < paths.size(); ++i) {
    DataSet set;
    auto& options = set.options;
    options.path = paths[i];
    options.preset = presets[i];
    options.format = line.text("format", "auto");
    options.prompt_column = line.text("prompt-column", "");
    options.messages_column = line.text("messages-column", "");
    options.answer_column = line.text("answer-column", "");
    options.answer_from = line.text("answer-from", "");
    options.response_column = line.text("response-column", "");
    options.id_column = line.text("id-column", "");
    options.keep_columns = keep_records;
    if (options.preset.empty() && options.prompt_column.empty() && options.messages_column.empty()) guess_columns(set);
    sets.push_back(std::move(set));
  }
  return sets;
}

DataSet guessed_data_set(const std::string& path, bool keep_records) {
  DataSet set;
  set.options.path = path;
  set.options.keep_columns = keep_records;
  guess_columns(set);
  return set;
}

std::string verifier_of(const DataSet& set) {
  return set.options.preset.empty() ? "math" : data::preset_named(set.options.preset).verifier;
}

std::string describe_columns(const DataSet& set) {
  const auto& o = set.options;
  const auto named = [](const std::string& own, const data::ColumnNames& preset) {
    return own.empty() ? join(preset, "|") : own;
  };
  const data::Preset none;
  const auto& preset = o.preset.empty() ? none : data::preset_named(o.preset);
  std::string text = o.messages_column.empty() ? fmt::format("prompt `{}`", named(o.prompt_column, preset.prompt))
                                               : fmt::format("messages `{}`", o.messages_column);
  std::vector<std::string> parts;
  parts.reserve(preset.answer_parts.size());
  for (const auto& [key, names] : preset.answer_parts) parts.push_back(join(names, "|"));
  const bool in_parts = o.answer_column.empty() && !parts.empty();
  const auto answer = in_parts ? join(parts, "` and `") : named(o.answer_column, answers_of(preset));
  text += answer.empty() ? ", no answer" : fmt::format(", answer `{}`", answer);
  if (!o.preset.empty()) text += fmt::format(" (preset {}{})", o.preset, set.guessed ? ", told from the columns" : "");
  return text;
}

std::vector<std::string> Malformed::places() const {
  std::vector<std::string> lines;
  lines.reserve(first.size());
  for (const auto& record : first) lines.push_back(record.source + ": " + record.reason);
  if (count > static_cast<int64_t>(first.size()))
    lines.push_back(fmt::format("and {} more", count - static_cast<int64_t>(first.size())));
  return lines;
}

void Malformed::check(const std::string& path, int64_t records) const {
  if (count == 0) return;
  fail(ErrorKind::input, "{}: {} of {} records cannot be used; --on-error skip leaves them out\n  {}", path, count,
       records, join(places(), "\n  "));
}

void Malformed::add(const data::SkippedRecord& record) {
  if (++count <= static_cast<int64_t>(data::kReasonsKept)) first.push_back(record);
}

void declare_on_error(CommandLine& line) {
  line.option("on-error", "fail|skip", "what becomes of a malformed record; default fail");
}

bool skips_malformed(const CommandLine& line) {
  return line.choice("on-error", {"fail", "skip"}, "fail") == "skip";
}

size_t scan(const DataSet& set, const std::function<void(data::Example&&, std::string_view line)>& example,
            const std::function<void(const data::SkippedRecord&)>& broken) {
  const size_t records = data::scan_dataset(set.options, {[&](data::Example&& item, std::string_view line) {
                                                            example(std::move(item), line);
                                                            return true;
                                                          },
                                                          [&](const data::SkippedRecord& record) {
                                                            broken(record);
                                                            return true;
                                                          }});
  if (records == 0) fail(ErrorKind::input, "{}: there is no record in the file", set.options.path.string());
  return records;
}

std::string line_of(const data::Example& example, std::string_view line) {
  return line.empty() ? dump_line(example.columns) : std::string(line);
}

std::string indented(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& item : lines) text += "               " + item + "\n";
  return text;
}

}  // namespace laconic::cli

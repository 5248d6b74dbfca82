#include "laconic/core/data/dataset.h"

#include <unordered_map>

#include "laconic/core/base/error.h"
#include "laconic/core/data/example_reader.h"
#include "laconic/core/data/file_names.h"
#include "laconic/core/data/parquet.h"

namespace laconic::data {
namespace {

// Collects examples and skips, and says when enough was read.
class Collector {
 public:
  explicit Collector(const DatasetOptions& options) : options_(options) {}

  bool add(Example&& example) {
    const auto [first, fresh] = places_.emplace(example.id, example.source);
    if (!fresh) return skip({example.source, fmt::format("id `{}` was used before, at {}", example.id, first->second)});
    if (usable_++ >= options_.offset) data_.examples.push_back(std::move(example));
    return more_wanted();
  }

  bool skip(const SkippedRecord& record) {
    if (options_.on_error == OnError::fail) fail(ErrorKind::input, "{}: {}", record.source, record.reason);
    if (++data_.skipped <= kReasonsKept) data_.first_skipped.push_back(record);
    return more_wanted();
  }

  Dataset finish(size_t records) {
    if (!data_.examples.empty()) return std::move(data_);
    const std::string path = options_.path.string();
    if (records == 0) fail(ErrorKind::input, "{}: there is no record in the file", path);
    if (usable_ == 0) {
      fail(ErrorKind::input, "{}: none of the {} records is usable; the first: {}: {}", path, records,
           data_.first_skipped[0].source, data_.first_skipped[0].reason);
    }
    fail(ErrorKind::input, "{}: offset {} leaves none of the {} examples", path, options_.offset, usable_);
  }

 private:
  bool more_wanted() const { return options_.limit == 0 || data_.examples.size() < options_.limit; }

  const DatasetOptions& options_;
  Dataset data_;
  std::unordered_map<std::string, std::string> places_;  // of the ids
  size_t usable_ = 0;
};

// One file of a set; the number of its records. `stopped`: the sink wants no more.
size_t scan_file(const DatasetOptions& options, const std::string& label, const ExampleSink& sink, bool& stopped) {
  const ExampleReader reader(options, label);
  std::vector<std::string> columns;
  if (reader.format() == "parquet") {
    columns = reader.columns_of(parquet_columns(options.path));
    if (options.keep_columns) columns.clear();
  }
  size_t index = 0;
  read_records(options.path, reader.format(), columns, [&](Record&& record) {
    const size_t number = index++;
    const std::string_view line = record.text;
    const std::string source = record.source;
    Example example;
    try {
      example = reader.read(std::move(record), number);
    } catch (const BrokenRecord& problem) {
      stopped = !sink.broken({source, problem.reason});
      return !stopped;
    }
    stopped = !sink.example(std::move(example), line);
    return !stopped;
  });
  return index;
}

}  // namespace

size_t scan_dataset(const DatasetOptions& options, const ExampleSink& sink) {
  size_t records = 0;
  bool stopped = false;
  for (const auto& file : files_of(options.path)) {
    if (stopped) break;
    auto one = options;
    one.path = file.path;
    records += scan_file(one, file.label, sink, stopped);
  }
  return records;
}

Dataset load_dataset(const DatasetOptions& options) {
  Collector collector(options);
  const size_t records =
      scan_dataset(options, {[&](Example&& example, std::string_view) { return collector.add(std::move(example)); },
                             [&](const SkippedRecord& record) { return collector.skip(record); }});
  return collector.finish(records);
}

}  // namespace laconic::data

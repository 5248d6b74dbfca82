// laconic data sample: some examples of a set, drawn with a seed.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "laconic/cli/command_line.h"
#include "laconic/cli/data_commands.h"
#include "laconic/cli/data_set.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/line_io.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/file_names.h"
#include "laconic/core/data/records.h"
#include "laconic/core/data/reservoir.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMost = 100'000'000;

size_t wanted_count(const std::string& text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > kMost)
    fail(ErrorKind::usage, "expected how many examples, a whole number from 1 to {}, found `{}`", kMost, text);
  return static_cast<size_t>(count);
}

std::vector<std::filesystem::path> all_files(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> files;
  for (const auto& name : names) {
    for (const auto& file : data::files_of(name)) files.push_back(file.path);
  }
  return files;
}

}  // namespace

int run_data_sample(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "data sample",
      "Writes N records of the files, every choice of them equally likely, as JSON lines in the order of the files.\n"
      "The same seed draws the same records, and those of a smaller N are among those of a larger one. Memory\n"
      "grows with N alone.");
  line.positionals("N FILE...", 2, 10000);
  line.section("Sample");
  line.option("seed", "S", "default 0");
  line.option("format", "NAME", "auto (by the file's name), " + join(data::record_formats(), ", "));
  declare_on_error(line);
  line.option("output", "FILE", "write to FILE instead of standard output; it appears when it is complete");
  line.epilogue("Example:\n  laconic data sample 500 train.parquet --seed 1 --output train-500.jsonl");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const size_t wanted = wanted_count(line.words().front());
  const bool skip = skips_malformed(line);
  data::Reservoir reservoir(wanted, static_cast<uint64_t>(line.whole("seed", 0, INT64_MAX, 0)));
  uint64_t place = 0;
  Malformed malformed;
  const std::vector<std::string> names(line.words().begin() + 1, line.words().end());
  for (const auto& file : all_files(names)) {
    data::read_records(file, data::format_of(file, line.text("format", "auto")), {}, [&](data::Record&& record) {
      if (!record.reason.empty()) {
        malformed.add({record.source, record.reason});
        return true;
      }
      const uint64_t here = place++;
      if (reservoir.wants(here))
        reservoir.put(here, record.text.empty() ? dump_line(record.value) : std::string(record.text));
      return true;
    });
  }
  if (!skip) malformed.check(join(names, ", "), static_cast<int64_t>(place) + malformed.count);
  if (place < wanted)
    fail(ErrorKind::input, "{}: expected at least {} records to draw from, found {}", join(names, ", "), wanted, place);
  LineSink sink(line.text("output", ""), names.front(), streams.out);
  for (const auto& item : reservoir.take()) sink.write(item);
  sink.finish();
  streams.err << fmt::format("{} of {} records drawn{}\n", wanted, place,
                             malformed.count > 0 ? fmt::format(", {} malformed ones left out", malformed.count) : "");
  return kSuccess;
}

}  // namespace laconic::cli

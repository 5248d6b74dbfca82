// laconic suite: methods compared on the same bases with the same seeds.
#include "laconic/trainers/suite.h"

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMostFiles = 1000;
constexpr int64_t kMostJobs = 1024;

CommandLine suite_line() {
  CommandLine line("suite",
                   "Compares methods: trains the bases (configurations of `laconic sft`), then runs every method\n"
                   "(configurations of `laconic train`) with every seed on every base, each run a process of its own\n"
                   "with one thread, and measures all of them on the same held-out problems.\n"
                   "The table is printed as Markdown; OUT receives suite.html, suite.json and suite.md. The same call\n"
                   "again continues an interrupted suite and leaves finished runs as they are.");
  line.positionals("CONFIG [CONFIG...]", 1, kMostFiles);
  line.take_overrides({});
  line.section("Suite");
  line.option("out", "DIR", "where everything is written");
  line.option("seeds", "N", "training seeds 0 .. N-1 of every method; default 3");
  line.option("jobs", "N", "processes at a time; default 2");
  line.option("steps", "N", "training steps of every method instead of those of its file");
  line.epilogue(
      "One of the files may hold a section `suite` (`laconic config explain suite`); --suite.key=value goes over "
      "it.\n\n"
      "Example:\n  laconic suite configs/suite/*.yaml --seeds 3 --out runs/suite");
  return line;
}

// Overrides belong to the suite's own settings: what a run is told stands in its file.
void check_overrides(const std::vector<std::string>& overrides) {
  for (const auto& item : overrides) {
    if (!item.starts_with("--suite."))
      fail(ErrorKind::usage, "suite: expected --suite.key=value, found `{}`; a method's values stand in its file",
           item);
  }
}

int run_suite_command(const Arguments& arguments, Streams& streams) {
  CommandLine line = suite_line();
  if (!line.parse(arguments, streams.out)) return kSuccess;
  check_overrides(line.overrides());
  std::vector<trainers::SuiteFile> files;
  for (const auto& word : line.words()) files.push_back({word, guess_kind(word, {})});
  const auto plan = trainers::make_suite_plan(files, line.overrides(), line.whole("steps", 1, 1 << 30, 0),
                                              static_cast<int>(line.whole("seeds", 1, 1000, 3)), line.text("out"));
  trainers::install_stop_signals();
  const auto report = trainers::suite(plan, static_cast<int>(line.whole("jobs", 1, kMostJobs, 2)),
                                      "laconic suite " + join(arguments, " "));
  write_checked(streams.out, report.markdown);
  log_info("page {}", (plan.out / "suite.html").string());
  if (report.stopped) {
    log_info("stopped; the same call continues");
    return trainers::stop_status();
  }
  if (report.failures > 0) log_error("{} parts of the suite failed", report.failures);
  return report.failures > 0 ? 1 : kSuccess;
}

}  // namespace

Command suite_command() {
  return {"suite", "compare methods over seeds and bases", CommandGroup::runs, run_suite_command};
}

}  // namespace laconic::cli

// laconic report: the page of a run, or of several beside each other.
#include <filesystem>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/trainers/outcome.h"
#include "laconic/trainers/run_record.h"

namespace laconic::cli {
namespace {

int run_report(const Arguments& arguments, Streams& streams) {
  CommandLine line("report", "Writes report.html of a run folder again; further folders are drawn beside it.");
  line.positionals("RUN [RUN...]", 1, 16);
  line.epilogue("Example:\n  laconic report runs/a runs/b      writes runs/a/report.html with the curves of both");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  std::vector<std::filesystem::path> folders(line.words().begin(), line.words().end());
  for (const auto& folder : folders) {
    if (!std::filesystem::exists(folder / "metrics.jsonl"))
      fail(ErrorKind::usage, "{}: expected a run folder, but it holds no metrics.jsonl", folder.string());
  }
  const std::vector<std::filesystem::path> others(folders.begin() + 1, folders.end());
  trainers::write_run_report(folders.front(), others);
  write_checked(streams.out, trainers::describe_outcome(folders.front()));
  return kSuccess;
}

}  // namespace

Command report_command() {
  return {"report", "write the page of a run again, or of several runs together", CommandGroup::tools, run_report};
}

}  // namespace laconic::cli

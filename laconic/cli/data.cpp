// laconic data: what is in a set, what two sets share, parts of a set, and problems made for one.
#include "laconic/cli/commands.h"
#include "laconic/cli/data_commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

struct Action {
  const char* name;
  int (*run)(const Arguments& arguments, Streams& streams);
};
constexpr Action kActions[] = {{"check", run_data_check},
                               {"overlap", run_data_overlap},
                               {"filter", run_data_filter},
                               {"sample", run_data_sample},
                               {"generate", run_data_generate}};

constexpr const char* kHelp =
    "Usage: laconic data check|overlap|filter|sample|generate ... [OPTIONS]\n\n"
    "Looks at data sets and cuts them to size. JSON lines, JSON, CSV and TSV, each also as .gz or .zst, and Parquet.\n"
    "  check FILE...     what is in a set: lengths, repeats, malformed records, answers that cannot be judged\n"
    "  overlap A B...    which prompts of A share runs of words with B: contamination\n"
    "  filter FILE       the examples that pass: by length, pass rate, repeats, overlap; as JSON lines for a run\n"
    "  sample N FILE     N examples, drawn with a seed; as JSON lines\n"
    "  generate KIND     procedural problems: countdown, game_of_24, sudoku, alphametic, chain\n\n"
    "`laconic data ACTION --help` explains an action.\n";

int run_data(const Arguments& arguments, Streams& streams) {
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first == "--help" || first == "-h") {
    write_checked(streams.out, kHelp);
    return kSuccess;
  }
  std::vector<std::string> names;
  for (const auto& action : kActions) {
    if (first == action.name) return action.run(Arguments(arguments.begin() + 1, arguments.end()), streams);
    names.emplace_back(action.name);
  }
  fail(ErrorKind::usage, "expected one of {}, found {}{}; see `laconic data --help`", join(names, ", "),
       first.empty() ? "nothing" : "`" + first + "`", did_you_mean(first, names));
}

}  // namespace

Command data_command() {
  return {"data", "check, compare, filter, sample and generate data sets", CommandGroup::tools, run_data};
}

}  // namespace laconic::cli

#include "laconic/cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "laconic/cli/problem.h"
#include "laconic/core/base/build_info.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const auto& command : commands) names.push_back(command.name);
  return names;
}

const Command& find_command(const std::vector<Command>& commands, const std::string& name) {
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == name; });
  if (found != commands.end()) return *found;
  auto names = names_of(commands);
  names.emplace_back("help");
  fail(ErrorKind::usage, "unknown command `{}`{}; `laconic --help` lists the commands", name,
       did_you_mean(name, names));
}

const char* heading(CommandGroup group) {
  switch (group) {
    case CommandGroup::runs:
      return "Runs";
    case CommandGroup::filters:
      return "Filters (JSON lines in, JSON lines out)";
    case CommandGroup::tools:
      return "Tools";
  }
  return "";
}

std::string main_help(const std::vector<Command>& commands) {
  std::string text =
      "laconic: reinforcement learning that teaches language models to think only as long as they need\n"
      "\nUsage: laconic COMMAND [OPTIONS]\n";
  size_t width = 0;
  for (const auto& command : commands) width = std::max(width, command.name.size());
  for (const auto group : {CommandGroup::runs, CommandGroup::filters, CommandGroup::tools}) {
    std::string lines;
    for (const auto& command : commands) {
      if (command.group == group) lines += fmt::format("  {:{}}  {}\n", command.name, width, command.help);
    }
    if (!lines.empty()) text += fmt::format("\n{}:\n{}", heading(group), lines);
  }
  return text +
         "\n`laconic COMMAND --help` explains a command; `laconic --version` names this build.\n"
         "A first example:\n"
         "  printf '%s\\n' '{\"gold\": \"1/2\", \"prediction\": \"So it is \\\\boxed{0.5}.\"}' | laconic grade\n";
}

std::string version_line() {
  const auto build = build_info();
  return fmt::format("laconic {} ({})\n", build.version, build.commit);
}

int dispatch(const Arguments& arguments, const std::vector<Command>& commands, Streams& streams) {
  if (arguments.empty()) {
    streams.err << main_help(commands);
    return kUsage;
  }
  const std::string& first = arguments.front();
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (first == "--help" || first == "-h") {
    write_checked(streams.out, main_help(commands));
    return kSuccess;
  }
  if (first == "--version") {
    write_checked(streams.out, version_line());
    return kSuccess;
  }
  if (first == "help") {
    if (rest.size() > 1) fail(ErrorKind::usage, "help: expected one command, found {} words", rest.size());
    if (rest.empty()) return dispatch({"--help"}, commands, streams);
    return find_command(commands, rest.front()).run({"--help"}, streams);
  }
  if (first.starts_with("-")) {
    fail(ErrorKind::usage, "unknown option `{}`{}; expected a command, --help or --version", first,
         did_you_mean(first, {"--help", "--version"}));
  }
  const int status = find_command(commands, first).run(rest, streams);
  write_checked(streams.out, "");
  return status;
}

}  // namespace

int run_main(const Arguments& arguments, const std::vector<Command>& commands, Streams& streams) {
  try {
    return dispatch(arguments, commands, streams);
  } catch (const OutputClosed&) {
    return kOutputClosed;
  } catch (...) {
    const auto names = names_of(commands);
    const bool known = !arguments.empty() && std::find(names.begin(), names.end(), arguments.front()) != names.end();
    const Problem problem = current_problem();
    const std::string who = known ? "laconic " + arguments.front() : "laconic";
    streams.err << who << ": error: " << problem.message << "\n";
    if (problem.kind == ErrorKind::internal)
      streams.err << "This is a mistake of laconic itself; please report it with the command line and the input.\n";
    streams.err.flush();
    return problem.kind == ErrorKind::usage ? kUsage : kFailure;
  }
}

}  // namespace laconic::cli

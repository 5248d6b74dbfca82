// laconic config: what may stand in a configuration, and what stands in one.
#include "laconic/core/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

const std::vector<std::string>& actions() {
  static const std::vector<std::string> names = {"check", "explain", "show", "schema", "reference"};
  return names;
}

std::string kind_of_file(const CommandLine& line, const std::string& path) {
  return line.has("kind") ? line.choice("kind", config_kinds(), "") : guess_kind(path, line.overrides());
}

std::string check(const CommandLine& line, const std::string& path) {
  const std::string kind = kind_of_file(line, path);
  with_config(kind, [&](auto config) { config::read_from_file(path, line.overrides(), config); });
  return fmt::format("{}: a valid configuration of `laconic {}`\n", path, kind);
}

std::string show(const CommandLine& line, const std::string& path) {
  const std::string kind = kind_of_file(line, path);
  return with_config(kind, [&](auto config) {
    config::read_from_file(path, line.overrides(), config);
    return fmt::format("# configuration of `laconic {}`, every value\n{}", kind, config::dump_yaml(config));
  });
}

// The kinds that --kind names, or all.
std::vector<std::string> wanted_kinds(const CommandLine& line) {
  if (line.has("kind")) return {line.choice("kind", config_kinds(), "")};
  return config_kinds();
}

// Many keys are the same for every kind and are explained once: text -> the kinds that have it.
std::string explain(const CommandLine& line, const std::string& key) {
  std::vector<std::pair<std::string, std::vector<std::string>>> texts;
  std::string problem;
  const auto kinds = wanted_kinds(line);
  for (const auto& kind : kinds) {
    try {
      const std::string text = with_config(kind, [&](auto config) { return config::explain(config, key); });
      const auto same = std::find_if(texts.begin(), texts.end(), [&](const auto& item) { return item.first == text; });
      if (same != texts.end())
        same->second.push_back(kind);
      else
        texts.push_back({text, {kind}});
    } catch (const Error& error) {
      if (problem.empty()) problem = error.what();
    }
  }
  if (texts.empty()) fail(ErrorKind::usage, "{}", problem);
  std::string out;
  for (const auto& [text, having] : texts) {
    if (kinds.size() > 1 && having.size() < kinds.size())
      out += fmt::format("{}laconic {}\n\n", out.empty() ? "" : "\n", join(having, ", "));
    out += text;
  }
  return out;
}

std::string schema(const CommandLine& line) {
  if (!line.has("kind")) fail(ErrorKind::usage, "schema: expected --kind {}", join(config_kinds(), "|"));
  const std::string kind = line.choice("kind", config_kinds(), "");
  return with_config(kind,
                     [&](const auto& config) { return config::json_schema(config, "laconic " + kind).dump(2) + "\n"; });
}

// Headings one level down, so that the pages of all kinds make one.
std::string demoted(const std::string& page) {
  std::string out;
  for (const auto& row : split(page, '\n')) out += (row.starts_with("#") ? "#" : "") + row + "\n";
  return out.substr(0, out.size() - 1);
}

std::string reference(const CommandLine& line) {
  std::string page =
      "# Configuration\n\n"
      "What may stand in the YAML file of a run. Values that are left out keep their defaults; on the command line,\n"
      "`--section.key=value` goes over the file. `laconic config explain KEY` says the same in the terminal,\n"
      "`laconic config check FILE` looks for mistakes, and `laconic config show FILE` prints every value of a run.\n\n"
      "This page is the output of `laconic config reference`.\n";
  for (const auto& kind : wanted_kinds(line)) {
    const std::string title = fmt::format("`laconic {}`", kind);
    page += "\n" + demoted(with_config(kind, [&](const auto& config) { return config::markdown(config, title); }));
  }
  return page;
}

int run_config(const Arguments& arguments, Streams& streams) {
  CommandLine line("config",
                   "Configurations of runs:\n"
                   "  check FILE      looks for mistakes, all of them at once\n"
                   "  show FILE       prints every value, defaults and presets spelled out\n"
                   "  explain [KEY]   what a key, a section or everything means\n"
                   "  schema          JSON schema, for editors\n"
                   "  reference       the page docs/configuration.md");
  line.positionals("check|show|explain|schema|reference [FILE or KEY]", 1, 2);
  line.take_overrides(top_level_keys());
  line.section("Configuration");
  line.option("kind", "train|sft|eval|suite|plan",
              "which command it is for; default: by the sections of the file, else all");
  line.epilogue(
      "Examples:\n"
      "  laconic config explain objective.loss.kind\n"
      "  laconic config check run.yaml --train.steps=200");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const std::string& action = line.words().front();
  const std::string argument = line.words().size() > 1 ? line.words()[1] : "";
  const bool reads_file = action == "check" || action == "show";
  if (std::find(actions().begin(), actions().end(), action) == actions().end())
    fail(ErrorKind::usage, "expected one of {}, found `{}`{}", join(actions(), ", "), action,
         did_you_mean(action, actions()));
  if (reads_file && argument.empty()) fail(ErrorKind::usage, "{}: expected a file, found nothing", action);
  if (!reads_file && !line.overrides().empty())
    fail(ErrorKind::usage, "{} reads no file, so that {} has no effect", action, line.overrides().front());
  if (!argument.empty() && (action == "schema" || action == "reference"))
    fail(ErrorKind::usage, "unexpected argument `{}`; see `laconic config --help`", argument);
  std::string text;
  if (action == "check") text = check(line, argument);
  if (action == "show") text = show(line, argument);
  if (action == "explain") text = explain(line, argument);
  if (action == "schema") text = schema(line);
  if (action == "reference") text = reference(line);
  write_checked(streams.out, text);
  return kSuccess;
}

}  // namespace

Command config_command() {
  return {"config", "check, show and explain configurations", CommandGroup::tools, run_config};
}

}  // namespace laconic::cli

// Runs the built program in a process of its own.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "laconic/core/base/files.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {

inline std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// A line for the shell, in which $LACONIC is the program and $IN a file with `input`.
inline Outcome run_shell(const std::string& script, const std::string& input = "") {
  const TemporaryFolder folder;
  write_file_atomic(folder / "in", input);
  const std::string command = "LACONIC=" + shell_quoted(LACONIC_PROGRAM) +
                              "; IN=" + shell_quoted((folder / "in").string()) + "; {\n" + script + "\n} >" +
                              shell_quoted((folder / "out").string()) + " 2>" + shell_quoted((folder / "err").string());
  const int status = std::system(("exec bash -c " + shell_quoted(command)).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder / "out"), read_file(folder / "err")};
}

inline Outcome run_program(const Arguments& arguments, const std::string& input = "") {
  std::string script = "\"$LACONIC\"";
  for (const auto& argument : arguments) script += " " + shell_quoted(argument);
  return run_shell(script + " <\"$IN\"", input);
}

// One JSON value per line, in and out.
inline std::string to_lines(const std::vector<nlohmann::ordered_json>& values) {
  std::string text;
  for (const auto& value : values) text += value.dump() + "\n";
  return text;
}
inline std::vector<nlohmann::ordered_json> from_lines(const std::string& text) {
  std::vector<nlohmann::ordered_json> values;
  for (const auto& line : split(text, '\n')) {
    if (!line.empty()) values.push_back(nlohmann::ordered_json::parse(line));
  }
  return values;
}

}  // namespace laconic::cli

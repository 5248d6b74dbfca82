// The options of one command: declared once, for reading and for its help page.
//
//   CommandLine line("grade", "Judges predictions against gold answers.");
//   line.option("verifier", "NAME", "how answers are compared; default math");
//   line.option("threads", "N", "worker threads; 0 = all cores");
//   if (!line.parse(arguments, streams.out)) return kSuccess;  // --help was given
//   const int64_t threads = line.whole("threads", 0, 4096, 0);
//
// Options are `--name value` or `--name=value`, each at most once, never abbreviated. Whatever is wrong with an
// argument is an Error of kind usage that names it, what was expected and the nearest valid name.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/cli/command.h"

namespace laconic::cli {

class CommandLine {
 public:
  // `about`: what the command does, for the top of its help page; may have several lines.
  CommandLine(std::string command, std::string about);

  // Options declared from here on stand under this heading of the help page.
  void section(const std::string& title);
  void option(const std::string& name, const std::string& value_name, const std::string& help);
  void flag(const std::string& name, const std::string& help);
  // Arguments without a name, such as "FILE"; optional ones in brackets, for the usage line. Default: none are taken.
  void positionals(std::string usage, size_t fewest, size_t most);
  // `--section.key=value` arguments are taken as well (overrides.h); `top_level` are the keys without a dot.
  void take_overrides(std::vector<std::string> top_level);
  // Text behind the options on the help page: fields, examples.
  void epilogue(std::string text) { epilogue_ = std::move(text); }

  // False when --help was given and the page was written to `out`.
  [[nodiscard]] bool parse(const Arguments& arguments, std::ostream& out);

  bool has(const std::string& name) const { return values_.count(name) != 0; }
  const std::string& text(const std::string& name) const;  // a required option: its absence is an Error
  std::string text(const std::string& name, const std::string& fallback) const;
  int64_t whole(const std::string& name, int64_t least, int64_t greatest, int64_t fallback) const;
  double number(const std::string& name, double fallback) const;  // finite
  std::string choice(const std::string& name, const std::vector<std::string>& choices,
                     const std::string& fallback) const;
  const std::vector<std::string>& words() const { return words_; }          // the arguments without a name
  const std::vector<std::string>& overrides() const { return overrides_; }  // "--section.key=value" each

  const std::string& command() const { return command_; }
  std::string help() const;

 private:
  boost::program_options::options_description& current();
  boost::program_options::options_description all() const;
  std::vector<std::string> option_names() const;
  void run_parser(const Arguments& arguments);

  std::string command_, about_, epilogue_;
  std::string words_usage_;
  size_t fewest_words_ = 0, most_words_ = 0;
  bool takes_overrides_ = false;
  std::vector<std::string> top_level_;
  std::vector<boost::program_options::options_description> sections_;
  boost::program_options::variables_map values_;
  std::vector<std::string> words_, overrides_;
};

}  // namespace laconic::cli

#include "laconic/cli/command_line.h"

#include <charconv>
#include <cmath>
#include <sstream>
#include <utility>

#include "laconic/cli/overrides.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {

namespace po = boost::program_options;

namespace {

constexpr unsigned kWidth = 110;         // of a help page
constexpr const char* kWords = "words";  // Boost's name for the arguments without a name

}  // namespace

CommandLine::CommandLine(std::string command, std::string about)
    : command_(std::move(command)), about_(std::move(about)) {
  section("Options");
  flag("help", "this page");
}

po::options_description& CommandLine::current() {
  return sections_.back();
}

void CommandLine::section(const std::string& title) {
  sections_.emplace_back(title, kWidth, kWidth / 2);
}

void CommandLine::option(const std::string& name, const std::string& value_name, const std::string& help) {
  current().add_options()(name.c_str(), po::value<std::string>()->value_name(value_name), help.c_str());
}

void CommandLine::flag(const std::string& name, const std::string& help) {
  const std::string spelled = name == "help" ? "help,h" : name;
  current().add_options()(spelled.c_str(), help.c_str());
}

void CommandLine::positionals(std::string usage, size_t fewest, size_t most) {
  words_usage_ = std::move(usage);
  fewest_words_ = fewest;
  most_words_ = most;
}

void CommandLine::take_overrides(std::vector<std::string> top_level) {
  takes_overrides_ = true;
  top_level_ = std::move(top_level);
}

po::options_description CommandLine::all() const {
  po::options_description options(kWidth, kWidth / 2);
  for (const auto& section : sections_) options.add(section);
  return options;
}

std::vector<std::string> CommandLine::option_names() const {
  std::vector<std::string> names;
  for (const auto& section : sections_) {
    for (const auto& option : section.options()) names.push_back("--" + option->long_name());
  }
  for (const auto& key : top_level_) names.push_back("--" + key);
  return names;
}

std::string CommandLine::help() const {
  std::ostringstream page;
  // What stands behind "--" is another command's, options included.
  const bool options_first = words_usage_.starts_with("-- ");
  page << "Usage: laconic " << command_ << (options_first ? " [OPTIONS]" : "") << (words_usage_.empty() ? "" : " ")
       << words_usage_ << (options_first ? "" : " [OPTIONS]") << (takes_overrides_ ? " [--section.key=value ...]" : "")
       << "\n\n"
       << about_ << "\n";
  // The common options close the page, whatever a command declares behind them.
  for (size_t i = 1; i < sections_.size(); ++i) page << "\n" << sections_[i];
  page << "\n" << sections_.front();
  if (!epilogue_.empty()) page << "\n" << epilogue_ << "\n";
  return page.str();
}

void CommandLine::run_parser(const Arguments& arguments) {
  po::options_description options = all();
  options.add_options()(kWords, po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add(kWords, -1);
  const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(arguments).options(options).positional(positional).style(style).run(), values_);
  } catch (const po::unknown_option& error) {
    const std::string given = error.get_option_name();
    const std::string name = given.substr(0, given.find('='));
    fail(ErrorKind::usage, "unknown option `{}`{}{}", name, did_you_mean(name, option_names()),
         takes_overrides_ && given.find('=') != std::string::npos
             ? "; a value of the configuration is given as --section.key=value"
             : "");
  } catch (const po::error& error) {
    fail(ErrorKind::usage, "{}", error.what());
  }
}

bool CommandLine::parse(const Arguments& arguments, std::ostream& out) {
  Arguments plain = arguments;
  if (takes_overrides_) {
    auto parts = split_overrides(arguments, top_level_);
    plain = std::move(parts.rest);
    overrides_ = std::move(parts.overrides);
  }
  for (const auto& argument : plain) {
    // Asked for help, a person gets it, whatever else stands there.
    if (argument == "--help" || argument == "-h") {
      write_checked(out, help());
      return false;
    }
    if (argument == "--") break;
  }
  run_parser(plain);
  if (values_.count(kWords) != 0) words_ = values_[kWords].as<std::vector<std::string>>();
  if (words_.size() > most_words_) {
    fail(ErrorKind::usage, "unexpected argument `{}`; see `laconic {} --help`", words_[most_words_], command_);
  }
  if (words_.size() < fewest_words_) {
    fail(ErrorKind::usage, "expected {}, found {}; see `laconic {} --help`", words_usage_,
         words_.empty() ? "nothing" : "`" + join(words_, " ") + "`", command_);
  }
  return true;
}

const std::string& CommandLine::text(const std::string& name) const {
  if (!has(name)) fail(ErrorKind::usage, "the option --{} is missing; see `laconic {} --help`", name, command_);
  return values_[name].as<std::string>();
}

std::string CommandLine::text(const std::string& name, const std::string& fallback) const {
  return has(name) ? values_[name].as<std::string>() : fallback;
}

int64_t CommandLine::whole(const std::string& name, int64_t least, int64_t greatest, int64_t fallback) const {
  if (!has(name)) return fallback;
  const std::string& text = values_[name].as<std::string>();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > greatest) {
    fail(ErrorKind::usage, "--{}: expected a whole number from {} to {}, found `{}`", name, least, greatest, text);
  }
  return value;
}

double CommandLine::number(const std::string& name, double fallback) const {
  if (!has(name)) return fallback;
  const std::string& text = values_[name].as<std::string>();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    fail(ErrorKind::usage, "--{}: expected a number, found `{}`", name, text);
  }
  return value;
}

std::string CommandLine::choice(const std::string& name, const std::vector<std::string>& choices,
                                const std::string& fallback) const {
  if (!has(name)) return fallback;
  const std::string& text = values_[name].as<std::string>();
  for (const auto& known : choices) {
    if (text == known) return text;
  }
  fail(ErrorKind::usage, "--{}: expected one of {}, found `{}`{}", name, join(choices, ", "), text,
       did_you_mean(text, choices));
}

}  // namespace laconic::cli

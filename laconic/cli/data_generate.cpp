// laconic data generate: procedural problems as a file.
#include <fmt/format.h>

#include <algorithm>

#include "laconic/cli/command_line.h"
#include "laconic/cli/data_commands.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/line_io.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"
#include "laconic/core/data/chain_examples.h"
#include "laconic/core/data/puzzle_examples.h"
#include "laconic/trainers/puzzle_config.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMost = 100'000'000;

// The options of a puzzle alone.
struct Difficulty {
  data::PuzzleOptions options;
  void visit(config::Visitor& v) { trainers::visit_puzzle(v, options); }
};

std::vector<std::string> kinds() {
  auto names = data::puzzle_names();
  names.emplace_back("chain");
  return names;
}

// Every option of every puzzle, but for the kind.
std::vector<std::string> difficulty_names() {
  std::vector<std::string> names;
  for (const auto& kind : data::puzzle_names()) {
    Difficulty difficulty;
    config::read_from_yaml("kind: " + kind, "generate", {}, difficulty);
    const auto values = config::dump_json(difficulty);
    for (const auto& [name, value] : values.items()) {
      if (name != "kind") names.push_back(name);
    }
  }
  return names;
}

std::string difficulty_help() {
  std::string text;
  for (const auto& kind : data::puzzle_names()) {
    Difficulty difficulty;
    config::read_from_yaml("kind: " + kind, "generate", {}, difficulty);
    std::vector<std::string> parts;
    const auto values = config::dump_json(difficulty);
    for (const auto& [name, value] : values.items()) {
      if (name != "kind") parts.push_back(fmt::format("--{}={}", name, value.dump()));
    }
    text += fmt::format("  {:11} {}\n", kind, join(parts, " "));
  }
  return text;
}

// Gold fields that are objects stand in the file as such.
Json answer_of(const std::string& answer) {
  return answer.starts_with('{') ? Json::parse(answer) : Json(answer);
}

std::string line_for(const data::Example& example) {
  Json line = {{"id", example.id}, {"prompt", example.prompt}, {"answer", answer_of(example.answer)}};
  for (const auto& [name, value] : example.columns.items()) line[name] = value;
  return dump_line(line);
}

}  // namespace

int run_data_generate(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "data generate",
      "Writes procedural problems as JSON lines with the columns id, prompt, answer (the gold field of the\n"
      "verifier of the puzzle's name), solution and others. Problem number i is a function of the seed\n"
      "and i alone: a longer file begins with a shorter one.");
  line.positionals("KIND", 1, 1);
  line.section("Problems");
  line.option("count", "N", "how many; default 1000");
  line.option("first", "I", "number of the first problem; default 0");
  line.option("seed", "S", "default 0");
  line.option("output", "FILE", "write to FILE instead of standard output; it appears when it is complete");
  line.take_overrides(difficulty_names());
  line.epilogue(
      "KIND is one of " + join(kinds(), ", ") + ". Their difficulty (docs/data.md), with the defaults:\n" +
      difficulty_help() +
      "\nExample:\n  laconic data generate countdown --count 5000 --seed 1 --most_numbers=5 --output train.jsonl");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const auto& kind = line.words().front();
  const auto names = kinds();
  if (std::find(names.begin(), names.end(), kind) == names.end())
    fail(ErrorKind::usage, "unknown kind `{}`{}; there are {}", kind, did_you_mean(kind, names), join(names, ", "));
  const bool chain = kind == "chain";
  if (chain && !line.overrides().empty())
    fail(ErrorKind::usage, "{}: the chain task has no such option", line.overrides().front());
  Difficulty difficulty;
  if (!chain) config::read_from_yaml("kind: " + kind, "data generate", line.overrides(), difficulty);
  const auto count = static_cast<uint64_t>(line.whole("count", 1, kMost, 1000));
  const auto first = static_cast<uint64_t>(line.whole("first", 0, INT64_MAX, 0));
  const auto seed = static_cast<uint64_t>(line.whole("seed", 0, INT64_MAX, 0));
  LineSink sink(line.text("output", ""), "", streams.out);
  for (uint64_t i = first; i < first + count; ++i) {
    sink.write(line_for(chain ? data::chain_example(data::chain_problem(data::ChainSplit::train, seed, i))
                              : data::puzzle_example(difficulty.options, seed, i)));
  }
  sink.finish();
  return kSuccess;
}

}  // namespace laconic::cli

// laconic data check: what is in a set, and what of it would stop a run or disturb it.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "laconic/cli/answer_check.h"
#include "laconic/cli/data_commands.h"
#include "laconic/cli/data_set.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/program.h"
#include "laconic/cli/prompt_lengths.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/length_counts.h"
#include "laconic/core/data/ngrams.h"
#include "laconic/core/data/presets.h"
#include "laconic/core/data/text_hash.h"
#include "laconic/rewards/verifier.h"
#include "laconic/trainers/prompts.h"

namespace laconic::cli {
namespace {

// Places shown of each kind of finding.
constexpr size_t kShown = 5;
constexpr size_t kShownAnswer = 200;  // bytes
constexpr int kBins = 12;
constexpr int kBarWidth = 40;

// Of a long text the first kShownAnswer bytes, whole characters.
std::string beginning(const std::string& text) {
  if (text.size() <= kShownAnswer) return text;
  const std::string part = text.substr(0, kShownAnswer);
  return part.substr(0, first_invalid_utf8(part)) + " ...";
}

// A count and where it was first seen.
struct Finding {
  int64_t count = 0;
  std::vector<std::string> places;

  void add(const std::string& place) {
    ++count;
    if (places.size() < kShown) places.push_back(place);
  }
  Json json() const { return {{"count", count}, {"first", places}}; }
};

struct Report {
  std::string file, columns, unit, verifier;
  int64_t records = 0, limit = 0, answers = 0;
  Malformed malformed;
  data::LengthCounts lengths;
  Finding over_limit, repeats, other_answers, ids, text_answers, rejected;

  // What would end a run that uses the set as it is.
  bool stops_a_run() const { return malformed.count + over_limit.count + rejected.count + ids.count > 0; }
};

// What is remembered of all sets together: hashes.
struct Remembered {
  std::unordered_map<uint64_t, uint64_t> answer_of;  // prompt -> answer
  std::unordered_set<uint64_t> ids;                  // of the present file
};

class Checker {
 public:
  Checker(const PromptLengths& lengths, int64_t limit) : lengths_(lengths), limit_(limit) {}

  Report check(const DataSet& set, const AnswerCheck& answers) {
    Report report;
    report.file = set.options.path.string();
    report.columns = describe_columns(set);
    report.unit = lengths_.unit();
    report.verifier = answers.verifier();
    report.limit = limit_;
    memory_.ids.clear();
    const auto& options = set.options;
    ids_in_file_ =
        !options.id_column.empty() || (!options.preset.empty() && !data::preset_named(options.preset).id.empty());
    report.records = static_cast<int64_t>(scan(
        set, [&](data::Example&& example, std::string_view) { add(example, answers, report); },
        [&](const data::SkippedRecord& record) { report.malformed.add(record); }));
    return report;
  }

 private:
  void add(const data::Example& example, const AnswerCheck& answers, Report& report) {
    const int64_t length = trainers::at_source(example, [&] { return lengths_.of(example); });
    report.lengths.add(length);
    if (limit_ > 0 && length > limit_)
      report.over_limit.add(fmt::format("{}: {} {}", example.source, length, report.unit));
    const auto answer = data::text_hash(data::folded_text(example.answer));
    const auto [earlier, fresh] = memory_.answer_of.emplace(data::text_hash(data::folded_text(example.prompt)), answer);
    if (!fresh) (earlier->second == answer ? report.repeats : report.other_answers).add(example.source);
    if (ids_in_file_ && !memory_.ids.insert(data::text_hash(example.id)).second)
      report.ids.add(fmt::format("{}: `{}`", example.source, example.id));
    if (!example.answer.empty()) add_answer(example, answers, report);
  }

  static void add_answer(const data::Example& example, const AnswerCheck& answers, Report& report) {
    ++report.answers;
    const auto found = answers.of(example.answer);
    if (found.use == AnswerUse::usable) return;
    (found.use == AnswerUse::text ? report.text_answers : report.rejected)
        .add(fmt::format("{}: {}{}", example.source, beginning(example.answer),
                         found.reason.empty() ? "" : " (" + found.reason + ")"));
  }

  const PromptLengths& lengths_;
  int64_t limit_;
  bool ids_in_file_ = false;  // those that come from the place in the file differ by themselves
  Remembered memory_;
};

Json to_json(const Report& r) {
  Json bins = Json::array();
  for (const auto& bin : r.lengths.histogram(kBins)) bins.push_back({bin.first, bin.last, bin.count});
  Json malformed = Json::array();
  for (const auto& record : r.malformed.first) malformed.push_back(record.source + ": " + record.reason);
  return {{"file", r.file},
          {"columns", r.columns},
          {"records", r.records},
          {"usable", r.records - r.malformed.count},
          {"malformed", {{"count", r.malformed.count}, {"first", malformed}}},
          {"prompt_length",
           {{"unit", r.unit},
            {"min", r.lengths.least()},
            {"mean", r.lengths.mean()},
            {"median", r.lengths.quantile(0.5)},
            {"p95", r.lengths.quantile(0.95)},
            {"p99", r.lengths.quantile(0.99)},
            {"max", r.lengths.greatest()},
            {"histogram", bins}}},
          {"limit", r.limit > 0 ? Json(r.limit) : Json()},
          {"over_limit", r.over_limit.json()},
          {"repeated_prompts", r.repeats.json()},
          {"repeated_prompts_with_another_answer", r.other_answers.json()},
          {"repeated_ids", r.ids.json()},
          {"verifier", r.verifier},
          {"answers", r.answers},
          {"answers_compared_as_text", r.text_answers.json()},
          {"answers_rejected", r.rejected.json()},
          {"stops_a_run", r.stops_a_run()}};
}

std::string row(const char* label, const std::string& text) {
  return fmt::format("  {:13}{}\n", label, text);
}

std::string shown(const char* label, const std::string& text, const Finding& finding) {
  return row(label, fmt::format("{} {}", finding.count, text)) + indented(finding.places);
}

std::string histogram(const data::LengthCounts& lengths) {
  const auto bins = lengths.histogram(kBins);
  int64_t most = 1;
  for (const auto& bin : bins) most = std::max(most, bin.count);
  std::vector<std::string> rows;
  for (const auto& bin : bins) {
    const auto width = static_cast<size_t>((bin.count * kBarWidth + most - 1) / most);
    rows.push_back(fmt::format("{:>7} to {:<7}{:>9}  {}", bin.first, bin.last, bin.count, std::string(width, '#')));
  }
  return indented(rows);
}

std::string to_text(const Report& r) {
  std::string text = r.file + "\n" + row("columns", r.columns);
  text += row("records", fmt::format("{}, {} usable", r.records, r.records - r.malformed.count));
  text += row("malformed", std::to_string(r.malformed.count)) + indented(r.malformed.places());
  const auto& l = r.lengths;
  if (l.total() == 0) return text;
  text +=
      row("prompts", fmt::format("{} to {} {}, mean {:.1f}, median {}, 95 % up to {}, 99 % up to {}", l.least(),
                                 l.greatest(), r.unit, l.mean(), l.quantile(0.5), l.quantile(0.95), l.quantile(0.99)));
  text += histogram(l);
  if (r.limit > 0) text += shown("over limit", fmt::format("of more than {} {}", r.limit, r.unit), r.over_limit);
  text += shown("repeats", "repeat an earlier prompt with its answer", r.repeats);
  text += shown("", "repeat an earlier prompt with another answer", r.other_answers);
  if (r.ids.count > 0) text += shown("ids", "were used before in this file", r.ids);
  if (r.answers == 0) return text + row("answers", "none");
  text += shown("answers",
                fmt::format("of {} {} the verifier `{}`{}", r.answers,
                            rewards::has_structured_gold(r.verifier) ? "cannot be used by" : "are not accepted by",
                            r.verifier, rewards::has_structured_gold(r.verifier) ? "" : " as their own answer"),
                r.rejected);
  if (r.verifier == "math") text += shown("", "are not read as mathematics and compared as text", r.text_answers);
  return text;
}

}  // namespace

int run_data_check(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "data check",
      "Says what is in each set: records, lengths of the prompts, prompts over the limit, repeats (within and\n"
      "across the files), malformed records, and answers that the verifier cannot work with.\n"
      "The exit status is 1 where a run would end with an error: malformed records, repeated ids, prompts over\n"
      "the limit, answers that are rejected.");
  line.positionals("FILE...", 1, 10000);
  PromptLengths::declare(line);
  line.option("max-prompt-tokens", "N", "longer prompts are over the limit; default the model's window");
  AnswerCheck::declare(line);
  declare_column_options(line);
  line.section("Output");
  line.flag("json", "one JSON object per file");
  line.epilogue("Example:\n  laconic data check gsm8k_train.jsonl.gz --model DIR --max-prompt-tokens 512");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const PromptLengths lengths(line);
  const int64_t limit = line.whole("max-prompt-tokens", 1, int64_t{1} << 40, lengths.window().value_or(0));
  if (line.has("max-prompt-tokens") && !lengths.in_tokens())
    fail(ErrorKind::usage, "--max-prompt-tokens needs --model or --tokenizer");
  Checker checker(lengths, limit);
  bool bad = false;
  for (auto& set : open_data_sets(line, line.words(), /*keep_records=*/false)) {
    set.options.prompt_template = lengths.prompt_template();
    const AnswerCheck answers(line, verifier_of(set));
    set.options.json_answers = rewards::has_structured_gold(answers.verifier());
    const auto report = checker.check(set, answers);
    bad |= report.stops_a_run();
    write_checked(streams.out, line.has("json") ? dump_line(to_json(report)) + "\n" : to_text(report));
  }
  return bad ? kFailure : kSuccess;
}

}  // namespace laconic::cli

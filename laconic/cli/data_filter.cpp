// laconic data filter: the examples of a set that pass every test, as JSON lines that a run reads with the same
// columns.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <unordered_set>

#include "laconic/cli/answer_check.h"
#include "laconic/cli/data_commands.h"
#include "laconic/cli/data_set.h"
#include "laconic/cli/eval_rates.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/line_io.h"
#include "laconic/cli/program.h"
#include "laconic/cli/prompt_lengths.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/ngrams.h"
#include "laconic/core/data/text_hash.h"
#include "laconic/rewards/verifier.h"
#include "laconic/trainers/prompts.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMany = int64_t{1} << 40;

// Why an example was left out; the first reason that holds counts.
class Sieve {
 public:
  // `verifier`: that the set's answers are for.
  Sieve(const CommandLine& line, const PromptLengths& lengths, const std::string& verifier) : lengths_(lengths) {
    unique_ = line.has("unique");
    read_lengths(line);
    read_rates(line);
    read_overlap(line);
    if (line.has("verifiable")) answers_.emplace(line, verifier);
    if (!line.has("verifiable") && line.has("verifier"))
      fail(ErrorKind::usage, "--verifier has no effect without --verifiable");
    if (!unique_ && !fewest_ && !most_ && !rates_ && !others_ && !answers_) {
      fail(ErrorKind::usage,
           "expected something to filter by: --unique, --min-length, --max-length, --pass-rates, "
           "--not-in or --verifiable");
    }
  }

  // nullptr: it stays.
  const char* reason(const data::Example& example) {
    if (fewest_ || most_) {
      const int64_t length = trainers::at_source(example, [&] { return lengths_.of(example); });
      if (fewest_ && length < *fewest_) return "too short";
      if (most_ && length > *most_) return "too long";
    }
    if (answers_ && (example.answer.empty() || answers_->of(example.answer).use == AnswerUse::rejected))
      return "no answer that the verifier accepts";
    if (rates_) {
      if (const char* why = by_rate(example)) return why;
    }
    if (others_ && overlaps(example)) return "overlaps with another set";
    // Last: a repeat of an example that was left out is no repeat.
    if (unique_ && !seen_.insert(data::text_hash(data::folded_text(example.prompt))).second)
      return "repeats an earlier prompt";
    return nullptr;
  }

  // Whether the answers may be lists and objects.
  bool takes_json() const { return answers_ && rewards::has_structured_gold(answers_->verifier()); }

 private:
  void read_lengths(const CommandLine& line) {
    if (line.has("min-length")) fewest_ = line.whole("min-length", 0, kMany, 0);
    if (line.has("max-length")) most_ = line.whole("max-length", 0, kMany, 0);
  }

  void read_rates(const CommandLine& line) {
    for (const char* name : {"min-pass", "max-pass", "unrated"}) {
      if (line.has(name) && !line.has("pass-rates")) fail(ErrorKind::usage, "--{} needs --pass-rates", name);
    }
    if (!line.has("pass-rates")) return;
    least_rate_ = line.number("min-pass", 0);
    greatest_rate_ = line.number("max-pass", 1);
    if (least_rate_ > greatest_rate_)
      fail(ErrorKind::usage, "--min-pass {} is above --max-pass {}", least_rate_, greatest_rate_);
    unrated_ = line.choice("unrated", {"fail", "keep", "drop"}, "fail");
    rates_ = std::make_unique<EvalRates>(line.text("pass-rates"));
  }

  void read_overlap(const CommandLine& line) {
    for (const char* name : {"n", "max-share"}) {
      if (line.has(name) && !line.has("not-in")) fail(ErrorKind::usage, "--{} needs --not-in", name);
    }
    if (!line.has("not-in")) return;
    most_share_ = line.number("max-share", 0);
    if (most_share_ < 0 || most_share_ >= 1)
      fail(ErrorKind::usage, "--max-share: expected a number in [0, 1), found {}", most_share_);
    others_.emplace(static_cast<int>(line.whole("n", 1, 1000, 13)));
    for (const auto& path : split(line.text("not-in"), ',')) {
      Malformed malformed;
      const auto records = scan(
          guessed_data_set(path, /*keep_records=*/false),
          [&](data::Example&& example, std::string_view) { others_->add(example.prompt, 0); },
          [&](const data::SkippedRecord& record) { malformed.add(record); });
      // What cannot be read cannot be found again.
      if (!skips_malformed(line)) malformed.check(path, static_cast<int64_t>(records));
    }
    others_->finish();
  }

  const char* by_rate(const data::Example& example) const {
    const auto rate = rates_->of(example);
    if (!rate && unrated_ == "fail") {
      fail(ErrorKind::input,
           "{}: no pass rate for the example `{}`; evaluate the whole set, or say --unrated keep or --unrated drop",
           example.source, example.id);
    }
    if (!rate) return unrated_ == "keep" ? nullptr : "no pass rate";
    if (*rate < least_rate_) return "pass rate too low";
    return *rate > greatest_rate_ ? "pass rate too high" : nullptr;
  }

  bool overlaps(const data::Example& example) const {
    const auto match = others_->match(example.prompt);
    return match.shared > 0 && match.share() > most_share_;
  }

  const PromptLengths& lengths_;
  bool unique_ = false;
  std::optional<int64_t> fewest_, most_;
  std::unique_ptr<EvalRates> rates_;
  double least_rate_ = 0, greatest_rate_ = 1;
  std::string unrated_;
  std::optional<data::NgramIndex> others_;
  double most_share_ = 0;
  std::optional<AnswerCheck> answers_;
  std::unordered_set<uint64_t> seen_;
};

CommandLine filter_line() {
  CommandLine line(
      "data filter",
      "Writes the examples that pass every test as JSON lines: JSON lines as they stand in the file, other formats\n"
      "with all of their columns, so that a run reads the result with the columns of the original. What was left\n"
      "out, and why, is counted on standard error.");
  line.positionals("FILE", 1, 1);
  line.section("Tests");
  line.flag("unique", "leave out prompts that came before, without regard to case and white space");
  line.option("min-length", "N", "of the prompt, in tokens with --model or --tokenizer, else in characters");
  line.option("max-length", "N", "likewise");
  line.option("pass-rates", "FILE", "eval.jsonl of `laconic eval` on this set; examples are found by their ids");
  line.option("min-pass", "X", "least pass rate that stays; default 0");
  line.option("max-pass", "X", "greatest one; default 1");
  line.option("unrated", "fail|keep|drop", "what becomes of an example without a pass rate; default fail");
  line.option(
      "not-in", "FILE[,FILE]",
      "leave out prompts that share a run of words with these sets (`data overlap`), whose columns are told from "
      "their names");
  line.option("n", "N", "words of a run; default 13");
  line.option("max-share", "X", "share of the runs that may be found there; default 0");
  line.flag("verifiable", "leave out answers that the verifier does not accept as their own answer");
  AnswerCheck::declare(line);
  PromptLengths::declare(line);
  declare_column_options(line);
  declare_on_error(line);
  line.section("Output");
  line.option("output", "FILE", "write to FILE instead of standard output; it appears when it is complete");
  line.flag("json", "the counts as one JSON object on standard error");
  line.epilogue(
      "Example:\n  laconic data filter train.parquet --pass-rates runs/eval/eval.jsonl --min-pass 0.1 --max-pass 0.9\n"
      "      --unique --not-in math500.jsonl.gz --output train-filtered.jsonl");
  return line;
}

std::string describe(const std::map<std::string, int64_t>& dropped, int64_t records, int64_t kept) {
  std::string text = fmt::format("{} of {} examples stay\n", kept, records);
  for (const auto& [reason, count] : dropped) text += fmt::format("  {:9}  {}\n", count, reason);
  return text;
}

}  // namespace

int run_data_filter(const Arguments& arguments, Streams& streams) {
  CommandLine line = filter_line();
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const PromptLengths lengths(line);
  const bool skip = skips_malformed(line);
  auto set = open_data_sets(line, line.words(), /*keep_records=*/true).front();
  set.options.prompt_template = lengths.prompt_template();
  Sieve sieve(line, lengths, verifier_of(set));
  set.options.json_answers = sieve.takes_json();
  LineSink sink(line.text("output", ""), line.words().front(), streams.out);
  std::map<std::string, int64_t> dropped;
  Malformed malformed;
  int64_t kept = 0;
  const auto records = static_cast<int64_t>(scan(
      set,
      [&](data::Example&& example, std::string_view text) {
        if (const char* reason = sieve.reason(example)) {
          ++dropped[reason];
        } else {
          sink.write(line_of(example, text));
          ++kept;
        }
      },
      [&](const data::SkippedRecord& record) { malformed.add(record); }));
  if (!skip) malformed.check(set.options.path.string(), records);
  if (malformed.count > 0) dropped["malformed"] = malformed.count;
  if (kept == 0)
    fail(ErrorKind::input, "{}: no example stays; nothing was written\n{}", set.options.path.string(),
         describe(dropped, records, kept));
  sink.finish();
  if (malformed.count > 0 && !line.has("json")) streams.err << "malformed:\n" << indented(malformed.places());
  streams.err << (line.has("json") ? dump_line({{"records", records}, {"kept", kept}, {"dropped", dropped}}) + "\n"
                                   : describe(dropped, records, kept));
  return kSuccess;
}

}  // namespace laconic::cli

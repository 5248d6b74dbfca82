// laconic data overlap: which prompts of a set share runs of words with other sets.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "laconic/cli/data_commands.h"
#include "laconic/cli/data_set.h"
#include "laconic/cli/json_line.h"
#include "laconic/cli/line_io.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/data/ngrams.h"

namespace laconic::cli {
namespace {

constexpr size_t kExcerpt = 200;  // bytes of a prompt that are shown

struct Hit {
  std::string id, source, prompt;
  data::NgramIndex::Match match;
};

// The first shared run of words.
std::string shared_run(const Hit& hit, int n) {
  const std::string folded = data::folded_text(hit.prompt);
  const auto words = data::words_of(folded);
  std::string run;
  for (size_t i = hit.match.first; i < std::min(words.size(), hit.match.first + static_cast<size_t>(n)); ++i)
    run += (run.empty() ? "" : " ") + std::string(words[i]);
  return run;
}

struct Totals {
  int64_t prompts = 0;
  Malformed malformed;
  int64_t some = 0, half = 0, whole = 0;  // prompts of which at least so much is shared
  int64_t other_prompts = 0;
  size_t ngrams = 0;

  double share() const { return prompts == 0 ? 0 : static_cast<double>(some) / static_cast<double>(prompts); }
};

std::string excerpt(const std::string& prompt) {
  std::string text = data::folded_text(prompt);
  if (text.size() <= kExcerpt) return text;
  size_t end = kExcerpt;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// Indexes the other sets; records are numbered over all of them.
data::NgramIndex index_of(const std::vector<DataSet>& sets, int n, Totals& totals) {
  data::NgramIndex index(n);
  for (const auto& set : sets) {
    scan(
        set,
        [&](data::Example&& example, std::string_view) {
          index.add(example.prompt, static_cast<uint64_t>(totals.other_prompts++));
        },
        [&](const data::SkippedRecord& record) { totals.malformed.add(record); });
  }
  index.finish();
  totals.ngrams = index.size();
  return index;
}

struct Place {
  std::string source, prompt;
};

// The examples behind some numbers of index_of(), by a second reading.
std::map<uint64_t, Place> look_up(const std::vector<DataSet>& sets, const std::vector<Hit>& hits) {
  std::map<uint64_t, Place> wanted;
  if (hits.empty()) return wanted;
  for (const auto& hit : hits) wanted[hit.match.record];
  uint64_t number = 0;
  for (const auto& set : sets) {
    scan(
        set,
        [&](data::Example&& example, std::string_view) {
          if (const auto found = wanted.find(number++); found != wanted.end())
            found->second = {example.source, example.prompt};
        },
        [](const data::SkippedRecord&) {});
  }
  return wanted;
}

Json hit_json(const Hit& hit) {
  return {{"id", hit.id},
          {"source", hit.source},
          {"shared", hit.match.shared},
          {"ngrams", hit.match.total},
          {"share", hit.match.share()}};
}

// Those with the largest shares, at most `most`.
class Worst {
 public:
  explicit Worst(size_t most) : most_(most) {}
  void add(const Hit& hit) {
    const auto at = std::upper_bound(hits_.begin(), hits_.end(), hit,
                                     [](const Hit& a, const Hit& b) { return a.match.share() > b.match.share(); });
    hits_.insert(at, hit);
    if (hits_.size() > most_) hits_.pop_back();
  }
  const std::vector<Hit>& hits() const { return hits_; }

 private:
  size_t most_;
  std::vector<Hit> hits_;
};

std::string to_text(const Totals& t, int n, const DataSet& a, const std::vector<DataSet>& others,
                    const std::vector<Hit>& hits, const std::map<uint64_t, Place>& places) {
  std::string names;
  for (const auto& set : others) names += (names.empty() ? "" : ", ") + set.options.path.string();
  std::string text = fmt::format("{}: {} prompts, {}\n", a.options.path.string(), t.prompts, describe_columns(a));
  text += fmt::format("{}: {} prompts, {} different runs of {} words\n", names, t.other_prompts, t.ngrams, n);
  if (t.malformed.count > 0)
    text += fmt::format("left out: {} malformed records\n", t.malformed.count) + indented(t.malformed.places());
  text += fmt::format("overlap: {} prompts ({:.2f} %) share a run, {} half of their runs or more, {} all of them\n",
                      t.some, 100 * t.share(), t.half, t.whole);
  for (const auto& hit : hits) {
    const auto& other = places.at(hit.match.record);
    text += fmt::format("\n  {} of {} runs, {} and {}\n    shared  {}\n    here    {}\n    there   {}\n",
                        hit.match.shared, hit.match.total, hit.source, other.source, shared_run(hit, n),
                        excerpt(hit.prompt), excerpt(other.prompt));
  }
  return text;
}

Json to_json(const Totals& t, int n, const std::vector<Hit>& hits, const std::map<uint64_t, Place>& places) {
  Json examples = Json::array();
  for (const auto& hit : hits) {
    Json example = hit_json(hit);
    const auto& other = places.at(hit.match.record);
    example["shared_run"] = shared_run(hit, n);
    example["prompt"] = excerpt(hit.prompt);
    example["other_source"] = other.source;
    example["other_prompt"] = excerpt(other.prompt);
    examples.push_back(std::move(example));
  }
  return {{"n", n},
          {"prompts", t.prompts},
          {"other_prompts", t.other_prompts},
          {"other_ngrams", t.ngrams},
          {"malformed", t.malformed.count},
          {"overlapping", t.some},
          {"overlapping_share", t.share()},
          {"half_shared", t.half},
          {"all_shared", t.whole},
          {"examples", examples}};
}

}  // namespace

int run_data_overlap(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "data overlap",
      "Says which prompts of A share a run of N words with the prompts of B: what a model would have seen before.\n"
      "Case, white space, punctuation and compatibility forms of characters do not count; a Han or kana\n"
      "character is a word. A prompt of fewer than N words is compared as a whole.");
  line.positionals("A B...", 2, 10000);
  line.section("Overlap");
  line.option("n", "N", "words of a run; default 13");
  line.option("min-share", "X", "count prompts of which more than this share of the runs is found; default 0");
  line.option("examples", "N", "prompts shown, those with the largest shares; default 5");
  declare_column_options(line);
  line.section("Output");
  line.option("matches", "FILE", "write a JSON line for each overlapping prompt: id, source, share");
  line.flag("json", "the summary as one JSON object");
  line.epilogue("Example:\n  laconic data overlap train.jsonl math500.jsonl.gz aime.parquet --n 13");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const auto n = static_cast<int>(line.whole("n", 1, 1000, 13));
  const double least = line.number("min-share", 0);
  if (least < 0 || least >= 1) fail(ErrorKind::usage, "--min-share: expected a number in [0, 1), found {}", least);
  auto sets = open_data_sets(line, line.words(), /*keep_records=*/false);
  const DataSet a = sets.front();
  sets.erase(sets.begin());
  std::unique_ptr<LineSink> matches;
  if (line.has("matches")) matches = std::make_unique<LineSink>(line.text("matches"), line.words()[0], streams.out);
  const auto most_shown = static_cast<size_t>(line.whole("examples", 0, 100000, 5));
  for (const auto& set : sets) {
    if (most_shown > 0 && is_pipe(set))
      fail(ErrorKind::usage,
           "{}: a pipe is read once, and examples are looked up by a second reading; say --examples 0",
           set.options.path.string());
  }
  Totals totals;
  const auto index = index_of(sets, n, totals);
  Worst worst(most_shown);
  scan(
      a,
      [&](data::Example&& example, std::string_view) {
        ++totals.prompts;
        Hit hit{example.id, example.source, example.prompt, index.match(example.prompt)};
        if (hit.match.shared == 0 || hit.match.share() <= least) return;
        ++totals.some;
        totals.half += hit.match.share() >= 0.5;
        totals.whole += hit.match.shared == hit.match.total;
        if (matches) matches->write(dump_line(hit_json(hit)));
        worst.add(hit);
      },
      [&](const data::SkippedRecord& record) { totals.malformed.add(record); });
  if (matches) matches->finish();
  const auto places = look_up(sets, worst.hits());
  write_checked(streams.out, line.has("json") ? dump_line(to_json(totals, n, worst.hits(), places)) + "\n"
                                              : to_text(totals, n, a, sets, worst.hits(), places));
  return kSuccess;
}

}  // namespace laconic::cli

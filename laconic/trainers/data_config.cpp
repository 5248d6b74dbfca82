// The section `data` of a run.
#include "laconic/core/base/error.h"
#include "laconic/core/data/byte_source.h"
#include "laconic/core/data/records.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {
namespace {

// How a file is read, in a section and in a part of a mixture.
void visit_file(config::Visitor& v, data::DatasetOptions& file, uint64_t& limit, uint64_t& offset) {
  auto formats = data::record_formats();
  formats.insert(formats.begin(), "auto");
  v.choice("format", file.format, formats, {.help = "auto = by the file's name"});
  auto presets = data::dataset_presets();
  presets.insert(presets.begin(), "");
  v.choice("preset", file.preset, presets, {.help = "columns of a published data set (docs/data.md)"});
  v.field("prompt_column", file.prompt_column,
          {.help = "column with the prompt, a text or chat messages; a.b is column b of the object in column a"});
  v.field("messages_column", file.messages_column, {.help = "column with chat messages, instead of prompt_column"});
  v.field("answer_column", file.answer_column, {.help = "column with the gold answer"});
  v.field("response_column", file.response_column, {.help = "column with the response (sft)"});
  v.field("id_column", file.id_column, {.help = "column that names the example; empty = file and line"});
  v.choice("answer_from", file.answer_from, {"", "whole", "after_hashes", "boxed"},
           {.help = "which part of the answer column is the answer"});
  v.field("choice_columns", file.choice_columns,
          {.help = "multiple choice: columns with wrong options, beside the right one in answer_column; the answer is "
                   "then a letter"});
  v.field("choice_seed", file.choice_seed, {.help = "multiple choice: decides, with the question, the options' order"});
  v.field("prompt_template", file.prompt_template, {.help = "text around the prompt; {prompt} stands for it"});
  v.field("limit", limit, {.help = "use only so many examples; 0 = all", .min = 0.0});
  v.field("offset", offset, {.help = "skip so many examples first", .min = 0.0});
  v.choice("on_error", file.on_error, {{"fail", data::OnError::fail}, {"skip", data::OnError::skip}},
           {.help = "a malformed line ends the run, or is skipped and counted"});
}

data::DatasetOptions options_of(const data::DatasetOptions& file, const std::string& path, uint64_t limit,
                                uint64_t offset, const std::string& system) {
  auto options = file;
  options.path = path;
  options.limit = limit;
  options.offset = offset;
  options.system = system;
  return options;
}

}  // namespace

void MixturePart::visit(config::Visitor& v) {
  v.field("path", path, {.help = "the file of this part"});
  v.field("name", name, {.help = "in reports; empty = the file's name without its ending"});
  v.field("weight", weight,
          {.help = "its share of the prompts is its weight over the sum of all weights, in every step",
           .min = 0.0,
           .exclusive_min = true});
  visit_file(v, file, limit, offset);
  v.check(!path.empty(), "path", "expected the path of a data file, found nothing");
}

void CurriculumSection::visit(config::Visitor& v) {
  v.field(
      "pass_rates", pass_rates,
      {.help = "eval.jsonl of `laconic eval` on the training prompts, under the same template; a high rate is easy"});
  v.choice(
      "order", plan.kind, {{"easy_to_hard", data::CurriculumKind::easy_to_hard}, {"band", data::CurriculumKind::band}},
      {.help = "every epoch from easy to hard by stages, or a band that moves from the easy to the hard end once"});
  if (const auto block = v.when(plan.kind == data::CurriculumKind::easy_to_hard, "order: easy_to_hard")) {
    v.field("stages", plan.stages,
            {.help = "of equal size; within a stage the order is random", .min = 1.0, .max = 1000000.0});
  }
  if (const auto block = v.when(plan.kind == data::CurriculumKind::band, "order: band")) {
    v.field("band", plan.band,
            {.help = "its width as a share of the prompts", .min = 0.0, .max = 1.0, .exclusive_min = true});
    v.field("prompts", plan.positions,
            {.help = "drawn prompts over which it moves; it stays at the hard end afterwards; 0 = one epoch"});
  }
  v.field("min_pass_rate", min_pass_rate, {.help = "prompts below are left out", .min = 0.0, .max = 1.0});
  v.field("max_pass_rate", max_pass_rate, {.help = "prompts above are left out", .min = 0.0, .max = 1.0});
  v.check(!pass_rates.empty(), "pass_rates", "expected the eval.jsonl of `laconic eval`, found nothing");
  v.check(min_pass_rate <= max_pass_rate, "min_pass_rate, max_pass_rate", "no pass rate lies between them");
}

void DataSection::visit(config::Visitor& v) {
  v.choice("source", source, {{"file", DataSource::file}, {"chain", DataSource::chain}, {"puzzle", DataSource::puzzle}},
           {.help = "files, the procedural chain-arithmetic task, or procedural puzzles"});
  if (const auto block = v.when(source == DataSource::file, "source: file")) {
    v.field("path", path,
            {.help = "JSON lines, JSON, CSV or TSV, also as .gz or .zst, or Parquet (docs/data.md); "
                     "data/train-*.parquet names several files"});
    visit_file(v, file, limit, offset);
    const MixturePart prototype{"", "", 1.0, limit, offset, file};
    v.sections("mixture", mixture, prototype,
               "several sets at once, instead of path; what a part leaves out is as in the section around it");
    v.optional_section("curriculum", curriculum, "training prompts by difficulty instead of shuffled");
    v.check(source != DataSource::file || !path.empty() || !mixture.empty(), "path",
            "source: file needs the path of a data file, found nothing");
    v.check(path.empty() || mixture.empty(), "path, mixture",
            "path and mixture both name data files; give one of them");
  }
  if (const auto block = v.when(source == DataSource::puzzle, "source: puzzle"))
    v.section("puzzle", puzzle, "the puzzles (docs/data.md)");
  if (const auto block = v.when(source != DataSource::chain, "source: file or puzzle")) {
    v.field("chat", chat, {.help = "wrap the prompt in the model's chat template, where it has one"});
    v.field("system", system, {.help = "system message of the chat"});
    v.field("max_prompt_tokens", max_prompt_tokens,
            {.help = "a longer prompt is an error; 0 = the model's window", .min = 0.0, .unit = "tokens"});
    v.check(system.empty() || chat, "system, chat", "a system message needs chat: true");
  }
  if (const auto block = v.when(source == DataSource::chain, "source: chain")) {
    v.field("chain_per_grade", chain_per_grade,
            {.help = "chain: held-out problems of each grade for evaluation", .min = 1.0});
    v.field(
        "chain_problems", chain_problems,
        {.help = "chain: training draws from so many problems, the same for every seed; 0 = without end", .min = 0.0});
    v.choice("chain_evaluation", chain_evaluation,
             {{"held_out", ChainEvaluation::held_out}, {"training", ChainEvaluation::training}},
             {.help = "chain: evaluate on held-out problems, or on the chain_problems of training (for pass rates)"});
    v.field("chain_answer_threshold", chain_answer_threshold,
            {.help = "chain: t of 1..9 asks for 1 where the result is t or more, else 0, so that guessing 1 is right "
                     "with probability (10 - t) / 10; 0 asks for the result",
             .min = 0.0,
             .max = 9.0});
    v.check(chain_evaluation == ChainEvaluation::held_out || chain_problems > 0, "chain_evaluation, chain_problems",
            "evaluation on the training problems needs their number; expected chain_problems above 0");
  }
}

data::DatasetOptions DataSection::file_options() const {
  return options_of(file, path, limit, offset, system);
}

std::vector<DataPart> DataSection::parts() const {
  if (mixture.empty()) return {{"", 1.0, file_options()}};
  std::vector<DataPart> parts;
  for (const auto& part : mixture) {
    const std::string name = part.name.empty() ? data::without_compression(part.path).stem().string() : part.name;
    for (const auto& other : parts) {
      if (other.name == name)
        fail(ErrorKind::usage, "data.mixture: {} and {} are both called `{}`; give one of them a name",
             other.options.path.string(), part.path, name);
    }
    parts.push_back({name, part.weight, options_of(part.file, part.path, part.limit, part.offset, system)});
  }
  return parts;
}

}  // namespace laconic::trainers

#include "laconic/trainers/eval_run.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/log.h"
#include "laconic/core/config/config.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

// Which weights: path, size and time of the files, so that another model under the same path is noticed.
std::string identity_of(const ModelSection& section, uint64_t seed) {
  std::string identity = fs::absolute(section.path).lexically_normal().string();
  if (section.init == ModelInit::random) return fmt::format("{} seed {}", identity, seed);
  for (const auto& entry : fs::directory_iterator(section.path)) {
    if (entry.path().extension() != ".safetensors") continue;
    identity += fmt::format(" {}:{}:{}", entry.path().filename().string(), entry.file_size(),
                            entry.last_write_time().time_since_epoch().count());
  }
  return identity + (section.dtype == Precision::bf16 ? " bf16" : "");
}

// An evaluation writes config.yaml, versions.json and summary.json, which would replace those of a run.
void check_folder(const fs::path& folder) {
  if (!fs::exists(folder / "metrics.jsonl")) return;
  fail(ErrorKind::usage, "output.folder: {} holds a training run; expected a folder of the evaluation's own",
       folder.string());
}

}  // namespace

EvalReport run_evaluation(const EvalConfig& given, const std::string& command) {
  EvalConfig config = given;
  check_folder(config.output.folder);
  ops::set_threads(config.threads);
  const int64_t limit = config.eval.max_tokens > 0 ? config.eval.max_tokens : config.rollout.max_tokens;
  auto text = load_text(config.model);
  fix_today(text, config.today, config.output.folder);
  if (limit >= text.config.max_positions) {
    fail(ErrorKind::usage,
         "rollout.max_tokens, eval.max_tokens: expected less than the model's window of {} tokens, found {}",
         text.config.max_positions, limit);
  }
  const auto source = make_prompt_source(config.data, config.seed, *text.tokenizer, text.chat.get(),
                                         text.config.max_positions - limit, config.reward);
  const auto judge = make_judge(config.reward, text);  // refers to the tokenizer, which stays where it is
  const fs::path folder = config.output.folder;
  ensure_writable_folder(folder);
  const auto workspace = load_weights(std::move(text), config.model, config.seed);

  EvalOptions options;
  options.samples_per_prompt = config.eval.samples_per_prompt;
  options.sampling = {config.eval.temperature, config.eval.top_k, config.eval.top_p, config.rollout.min_p};
  options.max_tokens = limit;
  options.stop_ids = workspace.stop_ids;
  options.stop_strings = config.rollout.stop;
  options.seed = config.seed;
  options.step = kEvaluationDraws;
  options.label = "eval";
  options.output = folder / "eval.jsonl";
  options.model_identity = identity_of(config.model, config.seed);
  options.verifier = describe_verifier(config.reward);
  options.window_samples = 2 * int64_t{config.rollout.max_rows};
  rollout::Engine engine(workspace.model, engine_options(workspace.config, *workspace.tokenizer, config.rollout,
                                                         source->evaluation_size() * options.samples_per_prompt,
                                                         source->longest_prompt(), limit, config.model));
  write_file_atomic(folder / "config.yaml", config::dump_yaml(config));
  write_file_atomic(folder / "versions.json", metrics::pretty_json(versions_json(command, config.seed)));
  auto report = evaluate(engine, *source, judge.judge, options);
  auto summary = report.to_json();
  summary["seed"] = config.seed;
  summary["seconds"] = {{"eval", report.seconds}};
  summary["problems_reused"] = report.reused;
  write_file_atomic(folder / "summary.json", metrics::pretty_json(summary));
  if (report.reused > 0) log_info("{} of {} problems were finished by an earlier call", report.reused, report.prompts);
  return report;
}

}  // namespace laconic::trainers

#include "laconic/trainers/suite_plan.h"

#include <algorithm>
#include <cmath>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

std::string stem_of(const fs::path& file) {
  return file.stem().string();
}

template <typename Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

template <typename Item>
void check_new_name(const std::vector<Item>& items, const std::string& name, const fs::path& file) {
  const auto same = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  if (same != items.end()) {
    fail(ErrorKind::usage, "{} and {} are both called `{}`; a suite tells its files apart by their names",
         same->file.string(), file.string(), name);
  }
}

void check_known(const std::vector<std::string>& known, const std::string& name, const char* key) {
  if (std::find(known.begin(), known.end(), name) == known.end())
    fail(ErrorKind::usage, "suite.{}: no file is called `{}`{}; there are {}", key, name, did_you_mean(name, known),
         join(known, ", "));
}

void read_settings(SuitePlan& plan, const std::vector<SuiteFile>& files, const std::vector<std::string>& overrides) {
  SuiteConfig config;
  fs::path seen;
  for (const auto& file : files) {
    if (file.kind != "suite") continue;
    if (!seen.empty())
      fail(ErrorKind::usage, "{} and {} both have a section `suite`; expected one at most", seen.string(),
           file.path.string());
    seen = file.path;
    config::read_from_file(file.path, overrides, config);
  }
  if (seen.empty()) config::read_from_yaml("{}", "the command line", overrides, config);
  plan.settings = config.suite;
}

void read_base(SuitePlan& plan, const fs::path& file) {
  SuiteBase base{stem_of(file), file, {}};
  check_new_name(plan.bases, base.name, file);
  config::read_from_file(file, {}, base.config);
  plan.bases.push_back(std::move(base));
}

void read_method(SuitePlan& plan, const fs::path& file) {
  SuiteMethod method{stem_of(file), file, {}, false};
  check_new_name(plan.methods, method.name, file);
  config::read_from_file(file, plan.method_overrides, method.config);
  method.needs_pass_rates = method.config.objective.make()->needs().reference_pass_rate;
  const bool has_held_out = method.config.eval_data || method.config.data.procedural();
  if (!has_held_out)
    fail(ErrorKind::usage, "{}: a method of a suite is measured on held-out problems; expected a section eval_data",
         file.string());
  plan.methods.push_back(std::move(method));
}

void put_in_order(SuitePlan& plan) {
  const auto& order = plan.settings.order;
  for (const auto& name : order) check_known(names_of(plan.methods), name, "order");
  const auto place = [&](const SuiteMethod& method) {
    return std::find(order.begin(), order.end(), method.name) - order.begin();
  };
  std::stable_sort(plan.methods.begin(), plan.methods.end(),
                   [&](const SuiteMethod& a, const SuiteMethod& b) { return place(a) < place(b); });
}

EvalConfig evaluation_of(const RlConfig& rl, const fs::path& model, const fs::path& folder) {
  EvalConfig config;
  config.seed = rl.seed;
  config.threads = 1;
  config.model = rl.model;
  config.model.path = model.string();
  config.data = rl.eval_data ? *rl.eval_data : rl.data;
  config.rollout = rl.rollout;
  config.reward = rl.reward;
  config.eval = rl.eval;
  config.eval.every = 0;
  config.output.folder = folder.string();
  return config;
}

}  // namespace

fs::path SuitePlan::attempt_folder(const SuiteBase& base, int attempt) const {
  return base_folder(base) / fmt::format("attempt-{}", attempt);
}
fs::path SuitePlan::base_eval_folder(const SuiteBase& base, int attempt) const {
  return base_folder(base) / fmt::format("eval-{}", attempt);
}
fs::path SuitePlan::pass_rates_folder(const SuiteBase& base, const SuiteMethod& method) const {
  return base_folder(base) / ("pass-rates-" + method.name);
}
fs::path SuitePlan::run_folder(const SuiteBase& base, const SuiteMethod& method, int seed) const {
  return out / "runs" / base.name / method.name / fmt::format("seed-{}", seed);
}
fs::path SuitePlan::eval_folder(const SuiteBase& base, const SuiteMethod& method, int seed) const {
  return out / "evals" / base.name / method.name / fmt::format("seed-{}", seed);
}

SuitePlan make_suite_plan(const std::vector<SuiteFile>& files, const std::vector<std::string>& suite_overrides,
                          int64_t steps, int seeds, const fs::path& out) {
  SuitePlan plan;
  plan.seeds = seeds;
  plan.out = out;
  if (steps > 0) plan.method_overrides.push_back(fmt::format("--train.steps={}", steps));
  read_settings(plan, files, suite_overrides);
  for (const auto& file : files) {
    if (file.kind == "sft") read_base(plan, file.path);
    if (file.kind == "train") read_method(plan, file.path);
    if (file.kind == "eval")
      fail(ErrorKind::usage, "{}: a suite evaluates by itself; expected configurations of `laconic sft` and `train`",
           file.path.string());
  }
  if (plan.bases.empty())
    fail(ErrorKind::usage, "a suite needs a base: at least one configuration of `laconic sft` among its files");
  if (plan.methods.empty())
    fail(ErrorKind::usage, "a suite needs a method: at least one configuration of `laconic train` among its files");
  for (const auto& entry : plan.settings.base_targets) check_known(names_of(plan.bases), entry.first, "base_targets");
  put_in_order(plan);
  return plan;
}

std::vector<std::string> attempt_overrides(const SuitePlan& plan, const SuiteBase& base, int attempt) {
  const double factor = std::pow(plan.settings.base_growth, attempt - 1);
  const auto& train = base.config.train;
  std::vector<std::string> overrides = {"--threads=1",
                                        "--output.folder=" + plan.attempt_folder(base, attempt).string()};
  if (attempt > 1) {
    overrides.push_back(train.steps > 0 ? fmt::format("--train.steps={}", std::llround(factor * train.steps))
                                        : fmt::format("--train.epochs={}", factor * train.epochs));
  }
  return overrides;
}

std::vector<std::string> run_overrides(const SuitePlan& plan, const SuiteBase& base, const SuiteMethod& method,
                                       int seed, const fs::path& model) {
  std::vector<std::string> overrides = {fmt::format("--seed={}", seed), "--threads=1", "--model.path=" + model.string(),
                                        "--output.folder=" + plan.run_folder(base, method, seed).string()};
  if (method.needs_pass_rates)
    overrides.push_back("--reference.pass_rates=" + (plan.pass_rates_folder(base, method) / "eval.jsonl").string());
  overrides.insert(overrides.end(), plan.method_overrides.begin(), plan.method_overrides.end());
  return overrides;
}

EvalConfig final_evaluation(const SuitePlan& plan, const SuiteMethod& method, int seed, const fs::path& model,
                            const fs::path& folder) {
  auto config = evaluation_of(method.config, model, folder);
  config.seed = static_cast<uint64_t>(seed);
  config.data.chain_evaluation = ChainEvaluation::held_out;
  config.data.chain_per_grade = plan.settings.problems;
  config.eval.samples_per_prompt = plan.settings.samples;
  return config;
}

EvalConfig pass_rate_evaluation(const SuitePlan& plan, const SuiteMethod& method, const fs::path& model,
                                const fs::path& folder) {
  auto config = evaluation_of(method.config, model, folder);
  config.data = method.config.data;
  if (config.data.source == DataSource::chain) config.data.chain_evaluation = ChainEvaluation::training;
  config.eval.samples_per_prompt = plan.settings.pass_rate_samples;
  return config;
}

}  // namespace laconic::trainers

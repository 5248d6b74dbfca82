// What a suite consists of, from the files on its command line, and where its results lie.
//
//   OUT/bases/BASE/attempt-N/      supervised runs; OUT/bases/BASE/eval-N/ their evaluations, base.json the accepted
//   one OUT/bases/BASE/pass-rates-M/   reference pass rates for method M OUT/runs/BASE/M/seed-S/        a run of
//   `laconic train`;  OUT/evals/BASE/M/seed-S/ its final evaluation OUT/logs/                      what the processes
//   said OUT/suite.html, suite.json, suite.md
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "laconic/trainers/run_config.h"
#include "laconic/trainers/suite_config.h"

namespace laconic::trainers {

// A configuration and the command that it is for ("train", "sft", "eval", "suite").
struct SuiteFile {
  std::filesystem::path path;
  std::string kind;
};

struct SuiteBase {
  std::string name;  // of the file, without its extension
  std::filesystem::path file;
  SftConfig config;
};

struct SuiteMethod {
  std::string name;
  std::filesystem::path file;
  RlConfig config;
  bool needs_pass_rates = false;
};

struct SuitePlan {
  SuiteSection settings;
  std::vector<SuiteBase> bases;
  std::vector<SuiteMethod> methods;  // in the order of the tables
  int seeds = 3;
  std::filesystem::path out;
  std::vector<std::string> method_overrides;  // "--train.steps=10": for every run of a method

  std::filesystem::path base_folder(const SuiteBase& base) const { return out / "bases" / base.name; }
  std::filesystem::path attempt_folder(const SuiteBase& base, int attempt) const;
  std::filesystem::path base_eval_folder(const SuiteBase& base, int attempt) const;
  std::filesystem::path pass_rates_folder(const SuiteBase& base, const SuiteMethod& method) const;
  std::filesystem::path run_folder(const SuiteBase& base, const SuiteMethod& method, int seed) const;
  std::filesystem::path eval_folder(const SuiteBase& base, const SuiteMethod& method, int seed) const;
  std::filesystem::path log_file(const std::string& name) const { return out / "logs" / (name + ".log"); }
};

// Reads every file. A file of another kind, two files of one name, no base, no method, and a name in the settings that
// no file has are Errors. `steps` > 0 replaces the number of steps of every method.
SuitePlan make_suite_plan(const std::vector<SuiteFile>& files, const std::vector<std::string>& suite_overrides,
                          int64_t steps, int seeds, const std::filesystem::path& out);

// The overrides of a child process, and with them the configuration that it will have.
std::vector<std::string> attempt_overrides(const SuitePlan& plan, const SuiteBase& base, int attempt);
std::vector<std::string> run_overrides(const SuitePlan& plan, const SuiteBase& base, const SuiteMethod& method,
                                       int seed, const std::filesystem::path& model);
// An evaluation of `model` on the method's held-out problems, or on its training prompts for pass rates.
EvalConfig final_evaluation(const SuitePlan& plan, const SuiteMethod& method, int seed,
                            const std::filesystem::path& model, const std::filesystem::path& folder);
EvalConfig pass_rate_evaluation(const SuitePlan& plan, const SuiteMethod& method, const std::filesystem::path& model,
                                const std::filesystem::path& folder);

}  // namespace laconic::trainers

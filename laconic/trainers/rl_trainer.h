// Reinforcement learning of a policy: prompts -> rollouts -> verdicts -> rewards -> advantages -> updates, step after
// step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/core/metrics/run_folder.h"
#include "laconic/core/metrics/step_line.h"
#include "laconic/trainers/evaluator.h"
#include "laconic/trainers/monitor.h"
#include "laconic/trainers/pass_rates.h"
#include "laconic/trainers/ranks.h"
#include "laconic/trainers/rl_state.h"
#include "laconic/trainers/run_checkpoints.h"
#include "laconic/trainers/run_config.h"
#include "laconic/trainers/step_times.h"
#include "laconic/trainers/update.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {

struct RunOptions {
  metrics::ExistingRun existing = metrics::ExistingRun::refuse;
  std::string command;                        // recorded in versions.json
  std::optional<int64_t> stop_after_updates;  // for tests: behave as if stopped after so many updates of this process
  Ranks* ranks = nullptr;                     // of the run; null: this process is all of it
};

class RlTrainer {
 public:
  // Loads and checks everything; nothing is written before run().
  RlTrainer(RlConfig config, RunOptions options);
  ~RlTrainer();

  // Trains to the last step, or until a stop is requested; a checkpoint is left in either case. False: stopped.
  bool run();

  const model::Model& model() const { return workspace_.model; }

 private:
  void resume();
  void restore(const ResumedCheckpoint& loaded, const nlohmann::json& saved);
  void open_folder();  // on rank 0
  void before_last_pass();
  distributed::HeldWeights hold_weights();
  void begin_step();
  std::vector<algorithms::Group> roll_out(std::vector<std::pair<std::string, double>>& values);
  std::vector<PlacedPrompt> next_prompts(int64_t count);
  CollectOptions collect_options() const;
  std::vector<algorithms::Group> collect_groups(const std::vector<PlacedPrompt>& prompts);
  algorithms::Step step_of(std::vector<algorithms::Group> groups) const;
  void score(std::vector<algorithms::Group>& groups);
  void update_once();
  void take_report(const UpdateReport& report);
  void name_outliers(const algorithms::MiniBatch& mini_batch, const UpdateReport& report);
  void write_outliers();
  void finish_step();
  std::map<std::string, double> evaluation_of_now() const;
  void save_checkpoint();
  void evaluate_if_due();
  void evaluate_now();
  void finish_run();
  std::vector<const algorithms::Group*> groups_of_update(int64_t update) const;
  int64_t updates_per_step() const { return config_.objective.common.updates_per_rollout; }

  RlConfig config_;
  RunOptions options_;
  std::unique_ptr<Ranks> alone_;  // where nobody gave ranks
  Ranks& ranks_;
  Workspace workspace_;
  std::optional<model::Model> reference_;  // frozen; where the objective needs it
  std::unique_ptr<algorithms::Objective> objective_;
  std::unique_ptr<PromptSource> prompts_;
  std::unique_ptr<PromptSource> eval_prompts_;  // null: nothing to evaluate on
  std::optional<MonitorPass> monitor_;          // where the objective wants one
  std::optional<PassRates> pass_rates_;         // where the objective needs them
  JudgeOwner judge_;
  UpdateOptions update_options_;
  std::unique_ptr<distributed::ShardedAdamW> optimizer_;
  std::unique_ptr<distributed::ShardedWeights> reference_weights_;  // where those of the reference are divided
  bool gathers_for_rollout_ = false;
  std::unique_ptr<rollout::Engine> engine_;
  std::unique_ptr<metrics::RunFolder> folder_;  // of rank 0, which alone writes
  RunCheckpoints checkpoints_;
  metrics::StepLine step_line_;
  LossOutliers outliers_;
  RlState state_;
  double checkpoint_seconds_ = 0;  // spent on checkpoints since the last row
  StepTimes times_;                // of the step in progress
};

}  // namespace laconic::trainers

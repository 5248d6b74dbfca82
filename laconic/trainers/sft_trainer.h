// Supervised fine-tuning: next-token loss on completions, packed without padding.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/core/metrics/run_folder.h"
#include "laconic/core/metrics/step_line.h"
#include "laconic/trainers/loss_outliers.h"
#include "laconic/trainers/rl_trainer.h"
#include "laconic/trainers/run_checkpoints.h"
#include "laconic/trainers/sft_data.h"

namespace laconic::trainers {

class SftTrainer {
 public:
  // Loads and checks everything; nothing is written before run().
  SftTrainer(SftConfig config, RunOptions options);
  ~SftTrainer();

  // Trains to the last step, or until a stop is requested; a checkpoint is left in either case. False: stopped.
  bool run();

  const model::Model& model() const { return workspace_.model; }

 private:
  struct State {
    int64_t step = 0;  // finished steps
    int64_t skipped_in_a_row = 0;
    int64_t trained_tokens = 0;
    RecentUpdates recent;
  };
  void resume();
  void restore(const ResumedCheckpoint& loaded, const nlohmann::json& saved);
  void open_folder();  // on rank 0
  void train_step();
  void before_last_pass();
  void name_outliers(const std::vector<Unusual>& unusual, std::vector<nlohmann::ordered_json> own);
  void report_step(const metrics::MetricRow& row, double loss);
  double evaluation_loss();
  void save_checkpoint();
  void finish_run();

  SftConfig config_;
  RunOptions options_;
  std::unique_ptr<Ranks> alone_;  // where nobody gave ranks
  Ranks& ranks_;
  Workspace workspace_;
  std::unique_ptr<SftSource> source_;
  std::unique_ptr<distributed::ShardedAdamW> optimizer_;
  std::unique_ptr<metrics::RunFolder> folder_;  // of rank 0, which alone writes
  RunCheckpoints checkpoints_;
  metrics::StepLine step_line_;
  std::unique_ptr<metrics::Progress> progress_;
  std::optional<double> last_evaluation_loss_;
  std::map<std::string, double> evaluation_;  // of the last step; empty: it was not evaluated
  double checkpoint_seconds_ = 0;             // spent on checkpoints since the last row
  LossOutliers outliers_;
  State state_;
};

}  // namespace laconic::trainers

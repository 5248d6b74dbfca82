// What a run is told: the structs behind the YAML files of `laconic train`, `sft` and `eval`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "laconic/algorithms/registry.h"
#include "laconic/core/checkpoint/writer.h"
#include "laconic/core/config/config.h"
#include "laconic/core/data/curriculum_order.h"
#include "laconic/core/data/dataset.h"
#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/core/optim/adamw.h"
#include "laconic/core/optim/schedule.h"
#include "laconic/rewards/external/external_rewards.h"
#include "laconic/rewards/terms.h"
#include "laconic/trainers/puzzle_config.h"

namespace laconic::trainers {

enum class ModelInit { pretrained, random };
enum class Precision { f32, bf16 };
enum class ComputeDevice { cpu, cuda };
enum class DataSource { file, chain, puzzle };
enum class GatherForRollout { automatic, whole, layers };
enum class ChainEvaluation { held_out, training };

struct ModelSection {
  std::string path;       // Hugging Face folder
  std::string tokenizer;  // folder or tokenizer.json; "" = path
  ModelInit init = ModelInit::pretrained;
  Precision dtype = Precision::f32;
  ComputeDevice device = ComputeDevice::cpu;
  void visit(config::Visitor& v);
};

// One set of a mixture. What it leaves out is as in the section around it.
struct MixturePart {
  std::string path;
  std::string name;     // in reports; "" = the file's name without its ending
  double weight = 1.0;  // its share of the prompts is its weight over the sum of all weights
  uint64_t limit = 0;
  uint64_t offset = 0;
  data::DatasetOptions file;
  void visit(config::Visitor& v);
};

// Training prompts by difficulty instead of shuffled.
struct CurriculumSection {
  std::string pass_rates;  // eval.jsonl of `laconic eval` on the training prompts
  data::CurriculumPlan plan;
  double min_pass_rate = 0.0;
  double max_pass_rate = 1.0;
  void visit(config::Visitor& v);
};

// A file to read, as one of several or alone.
struct DataPart {
  std::string name;  // "" where it is alone
  double weight = 1.0;
  data::DatasetOptions options;
};

// Prompts (and targets): files, the procedural chain-arithmetic task, or procedural puzzles.
struct DataSection {
  DataSource source = DataSource::file;
  std::string path;
  uint64_t limit = 0;
  uint64_t offset = 0;
  data::DatasetOptions file;         // the remaining options of a file; parts() and file_options() fill in the others
  std::vector<MixturePart> mixture;  // instead of path
  std::optional<CurriculumSection> curriculum;  // of training prompts
  bool chat = true;                             // file: wrap the prompt in the model's chat template, where it has one
  std::string system;                           // chat: system message
  int max_prompt_tokens = 0;                    // longer prompts are an error that names them; 0 = the model's window
  int chain_per_grade = 200;                    // chain: held-out problems of each grade for evaluation
  int chain_problems = 0;                       // chain: training draws from so many problems; 0 = endless
  ChainEvaluation chain_evaluation = ChainEvaluation::held_out;
  int chain_answer_threshold = 0;  // chain: the answer is 1 for a result of so much or more, else 0; 0 = the digit
  PuzzleSection puzzle;            // puzzle
  data::DatasetOptions file_options() const;                      // of path
  bool procedural() const { return source != DataSource::file; }  // has held-out problems of its own
  // The set, or those of the mixture; two of one name are an Error of kind usage.
  std::vector<DataPart> parts() const;
  void visit(config::Visitor& v);
};

struct RolloutSection {
  int max_tokens = 256;
  double top_p = 1.0;
  int top_k = 0;
  double min_p = 0.0;
  std::vector<std::string> stop;
  int64_t kv_tokens = 0;  // 0 = enough for one step, at most a quarter of the memory
  int max_rows = 256;
  int prefill_tokens = 2048;
  void visit(config::Visitor& v);
};

// How a reward of the user's own sees prompts and completions.
enum class ConversationForm { automatic, text, messages };

struct RewardSection {
  std::string verifier = "math";               // or `external`: the user's own rewards decide
  std::map<std::string, std::string> options;  // of the verifier
  std::vector<std::string> terms;              // named rewards beside `correct` and `format` (rewards/terms.h)
  rewards::TermOptions term_options;
  int threads = 1;
  rewards::ExternalOptions external;
  ConversationForm conversation = ConversationForm::automatic;
  std::string gold_column;    // the argument of the user's rewards that is the gold answer; "" = none
  double correct_from = 1.0;  // of verifier: external
  bool external_decides() const;
  // Every named reward beside `correct` and `format`: the terms and the user's own.
  std::vector<std::string> all_terms() const;
  void visit(config::Visitor& v);
};
// The verifier with its options, as evaluations record it: "math require_box=true".
std::string describe_verifier(const RewardSection& section);

struct OptimizerSection {
  optim::AdamWOptions adamw;
  optim::Schedule schedule;
  int max_skipped_steps = 3;  // non-finite steps in a row before the run ends
  void visit(config::Visitor& v);
};

struct TrainSection {
  int steps = 100;
  int prompts_per_step = 16;
  int micro_batch_tokens = 2048;
  bool recompute = false;
  void visit(config::Visitor& v);
};

struct EvalSection {
  int every = 0;  // steps between evaluations during training; 0 = only at the end
  int samples_per_prompt = 1;
  double temperature = 1.0;
  double top_p = 1.0;
  int top_k = 0;
  int max_tokens = 0;  // 0 = rollout.max_tokens
  void visit(config::Visitor& v);
};

struct CheckpointSection {
  int every = 0;       // steps; 0 = only at the end
  int keep = 2;        // newest complete checkpoints that stay
  int keep_every = 0;  // steps between checkpoints that are made and stay; 0 = none
  std::string best;    // metric of an evaluation: the best by it is made and stays; "" = none
  bool asynchronous = false;
  checkpoint::OnError on_error = checkpoint::OnError::fail;
  void visit(config::Visitor& v);
};

struct OutputSection {
  std::string folder;
  int samples_per_step = 1;    // completions written to samples.jsonl per step
  int show_samples_every = 0;  // steps between completions shown on the screen; 0 = never
  bool tensorboard = true;
  void visit(config::Visitor& v);
};

// The prompts of an objective's monitor pass.
struct MonitorSection {
  int prompts = 500;
  uint64_t seed = 0;
  std::optional<DataSection> data;  // absent: the training prompts
  void visit(config::Visitor& v);
};

// What was measured of the model before training.
struct ReferenceSection {
  std::string pass_rates;  // eval.jsonl of `laconic eval` on the training prompts
  void visit(config::Visitor& v);
};

// How the ranks of a run work together; of no effect on a run of one process. Changes no number beyond rounding.
struct ParallelSection {
  distributed::Shard shard = distributed::Shard::none;
  Precision reduction = Precision::f32;
  GatherForRollout gather_for_rollout = GatherForRollout::automatic;  // of shard: parameters
  double timeout = 600;                                               // seconds
  double start_timeout = 300;                                         // seconds
  int check_every = 10;                                               // steps; 0 = only at the start
  std::string interface;
  void visit(config::Visitor& v);
};

// `laconic train`
struct RlConfig {
  uint64_t seed = 0;
  int threads = 0;    // 0 = all cores
  std::string today;  // 2025-07-10; "" = the day on which the run begins
  ModelSection model;
  DataSection data;
  std::optional<DataSection> eval_data;  // set when the section `eval_data` is present
  algorithms::ObjectiveSection objective;
  MonitorSection monitor;      // of objectives with a monitor pass
  ReferenceSection reference;  // of objectives that need it
  RolloutSection rollout;
  RewardSection reward;
  OptimizerSection optimizer;
  TrainSection train;
  EvalSection eval;
  CheckpointSection checkpoint;
  ParallelSection parallel;
  OutputSection output;
  void visit(config::Visitor& v);
};

struct SftTrainSection {
  int steps = 0;  // 0 = epochs decides
  double epochs = 1.0;
  int batch_size = 16;        // samples per optimizer step
  double clean_share = 0.25;  // chain: share of the steps spent in the clean phase
  int clean_batch_size = 32;  // chain: samples per optimizer step there
  double self_exit = 0;       // chain: share of the exit rows that write their `stop </think>` themselves
  int micro_batch_tokens = 2048;
  int max_tokens = 0;       // longer samples are an error (prompt + response); 0 = the model's window
  bool token_mean = false;  // loss: mean over all tokens instead of mean over samples of the mean over tokens
  bool recompute = false;
  int log_every = 0;  // steps between lines on the screen; 0 = about fifty in all
  int eval_every = 0;
  int eval_samples = 0;  // file: the last so many samples are held out for the evaluation loss
  void visit(config::Visitor& v);
};

// `laconic sft`
struct SftConfig {
  uint64_t seed = 0;
  int threads = 0;
  std::string today;  // 2025-07-10; "" = the day on which the run begins
  ModelSection model;
  DataSection data;
  OptimizerSection optimizer;
  SftTrainSection train;
  CheckpointSection checkpoint;
  ParallelSection parallel;
  OutputSection output;
  void visit(config::Visitor& v);
};

// `laconic eval`
struct EvalConfig {
  uint64_t seed = 0;
  int threads = 0;
  std::string today;  // 2025-07-10; "" = the day on which the run begins
  ModelSection model;
  DataSection data;
  RolloutSection rollout;
  RewardSection reward;
  EvalSection eval;
  OutputSection output;
  void visit(config::Visitor& v);
};

}  // namespace laconic::trainers

// What a run is told: the structs behind the YAML files of `laconic train`, `sft` and `eval`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "laconic/algorithms/registry.h"
#include "laconic/core/config/config.h"
#include "laconic/core/data/dataset.h"
#include "laconic/core/optim/adamw.h"
#include "laconic/core/optim/schedule.h"

namespace laconic::trainers {

enum class ModelInit { pretrained, random };
enum class Precision { f32, bf16 };
enum class DataSource { file, chain };

struct ModelSection {
  std::string path;       // Hugging Face folder
  std::string tokenizer;  // folder or tokenizer.json; "" = path
  ModelInit init = ModelInit::pretrained;
  Precision dtype = Precision::f32;
  void visit(config::Visitor& v);
};

// Prompts (and targets): files, or the procedural chain-arithmetic task.
struct DataSection {
  DataSource source = DataSource::file;
  std::string path;
  uint64_t limit = 0;
  uint64_t offset = 0;
  data::DatasetOptions
      file;          // the remaining options of a file; path, limit, offset and system are filled in by file_options()
  bool chat = true;  // file: wrap the prompt in the model's chat template, where it has one
  std::string system;         // chat: system message
  int max_prompt_tokens = 0;  // longer prompts are an error that names them; 0 = the model's window
  int chain_per_grade = 200;  // chain: held-out problems of each grade for evaluation
  data::DatasetOptions file_options() const;
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

struct RewardSection {
  std::string verifier = "math";
  std::map<std::string, std::string> options;  // of the verifier
  bool format = false;                         // also compute the named reward `format`
  int threads = 1;
  void visit(config::Visitor& v);
};

struct OptimizerSection {
  optim::AdamWOptions adamw;
  optim::Schedule schedule;
  int max_skipped_steps = 3;  // non-finite steps in a row before the run ends
  void visit(config::Visitor& v);
};

struct TrainSection {
  int steps = 100;
  int prompts_per_step = 16;
  int micro_batch_tokens = 4096;
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
  int every = 0;  // steps; 0 = only at the end
  int keep = 2;   // newest complete checkpoints that stay
  void visit(config::Visitor& v);
};

struct OutputSection {
  std::string folder;
  int samples_per_step = 1;    // completions written to samples.jsonl per step
  int show_samples_every = 0;  // steps between completions shown on the screen; 0 = never
  bool tensorboard = true;
  void visit(config::Visitor& v);
};

// `laconic train`
struct RlConfig {
  uint64_t seed = 0;
  int threads = 0;  // 0 = all cores
  ModelSection model;
  DataSection data;
  std::optional<DataSection> eval_data;  // set when the section `eval_data` is present
  algorithms::ObjectiveSection objective;
  RolloutSection rollout;
  RewardSection reward;
  OptimizerSection optimizer;
  TrainSection train;
  EvalSection eval;
  CheckpointSection checkpoint;
  OutputSection output;
  void visit(config::Visitor& v);
};

struct SftTrainSection {
  int steps = 0;  // 0 = epochs decides
  double epochs = 1.0;
  int batch_size = 16;        // samples per optimizer step
  double clean_share = 0.25;  // chain: share of the steps spent in the clean phase
  int clean_batch_size = 32;  // chain: samples per optimizer step there
  int micro_batch_tokens = 4096;
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
  ModelSection model;
  DataSection data;
  OptimizerSection optimizer;
  SftTrainSection train;
  CheckpointSection checkpoint;
  OutputSection output;
  void visit(config::Visitor& v);
};

// `laconic eval`
struct EvalConfig {
  uint64_t seed = 0;
  int threads = 0;
  ModelSection model;
  DataSection data;
  RolloutSection rollout;
  RewardSection reward;
  EvalSection eval;
  OutputSection output;
  void visit(config::Visitor& v);
};

}  // namespace laconic::trainers

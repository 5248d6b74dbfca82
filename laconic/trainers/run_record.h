// What a run leaves behind for people and for its own continuation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/core/metrics/run_folder.h"
#include "laconic/core/optim/adamw.h"
#include "laconic/core/optim/tensor_parts.h"
#include "laconic/trainers/evaluator.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Added to the step in the identity of an evaluation's draws, so that they are not those of training.
inline constexpr uint64_t kEvaluationDraws = uint64_t{1} << 40;
inline constexpr uint64_t kMonitorDraws = uint64_t{1} << 41;  // plus the step

// The part of a configuration that decides the numbers of training, as YAML: everything but output, checkpoint, threads
// and evaluation, and the number of steps where the learning rate does not depend on it.
std::string training_fingerprint(const RlConfig& config);
std::string training_fingerprint(const SftConfig& config);
// Fails with the lines that differ when a checkpoint was written under another configuration.
void check_fingerprint(const std::string& saved, const std::string& now, const std::filesystem::path& checkpoint);

// versions.json: program, libraries, processor, threads, seed, command.
nlohmann::ordered_json versions_json(const std::string& command, uint64_t seed);

// Parameters of a model as the optimizer takes them.
std::vector<optim::TrainedTensor> trained_tensors(const model::Model& model);

// Weights out of a checkpoint; a tensor that does not fit is an error that names it.
void restore_weights(model::Model& model, const optim::TensorSource& weights);

// Rows of evaluations.jsonl: a step's report with its example completions.
nlohmann::ordered_json evaluation_row(int64_t step, const EvalReport& report);
std::vector<nlohmann::ordered_json> read_evaluations(const std::filesystem::path& run_folder);

// Seconds of all steps in timing.jsonl, those before a resume included.
double trained_seconds(const std::filesystem::path& run_folder);

// {"sft": ..., ...}: the training times of the run that made the model at `model_path`, where that is a run's model/.
nlohmann::ordered_json seconds_of_parent(const std::filesystem::path& model_path);

// report.html of a run folder, from its files: curves, evaluations before and after, samples, configuration.
void write_run_report(const std::filesystem::path& run_folder, const std::vector<std::filesystem::path>& others = {});

}  // namespace laconic::trainers

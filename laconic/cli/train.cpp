// laconic train: reinforcement learning from a configuration.
#include <filesystem>

#include "laconic/cli/commands.h"
#include "laconic/cli/run_command.h"
#include "laconic/trainers/outcome.h"
#include "laconic/trainers/rl_trainer.h"

namespace laconic::cli {
namespace {

int run_train(const Arguments& arguments, Streams& streams) {
  RunCommand command(
      "train",
      "Trains a model by reinforcement learning: rollouts, verified rewards, updates.\n"
      "The run folder (output.folder) receives metrics, samples, checkpoints, the trained model and report.html.");
  trainers::RlConfig config;
  if (!command.read(arguments, streams, config)) return kSuccess;
  if (command.dry_run()) {
    command.describe(config, streams);
    return kSuccess;
  }
  const std::filesystem::path folder = config.output.folder;
  if (!command.run<trainers::RlTrainer>(std::move(config))) return command.stop_status();
  if (command.first()) write_checked(streams.out, trainers::describe_outcome(folder));
  return kSuccess;
}

}  // namespace

Command train_command() {
  return {"train", "train a model by reinforcement learning", CommandGroup::runs, run_train};
}

}  // namespace laconic::cli

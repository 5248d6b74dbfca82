// laconic sft: supervised fine-tuning from a configuration.
#include "laconic/trainers/sft_trainer.h"

#include "laconic/cli/commands.h"
#include "laconic/cli/run_command.h"

namespace laconic::cli {
namespace {

int run_sft(const Arguments& arguments, Streams& streams) {
  RunCommand command(
      "sft",
      "Trains a model on prompts and responses (or chats); only the responses carry loss.\n"
      "The run folder (output.folder) receives metrics, checkpoints, the trained model and report.html.");
  trainers::SftConfig config;
  if (!command.read(arguments, streams, config)) return kSuccess;
  if (command.dry_run()) {
    command.describe(config, streams);
    return kSuccess;
  }
  return command.run<trainers::SftTrainer>(std::move(config)) ? kSuccess : command.stop_status();
}

}  // namespace

Command sft_command() {
  return {"sft", "train a model on prompts and responses", CommandGroup::runs, run_sft};
}

}  // namespace laconic::cli

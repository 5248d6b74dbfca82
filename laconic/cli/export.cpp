// laconic export: a checkpoint as a Hugging Face folder.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/strings.h"
#include "laconic/trainers/export_model.h"

namespace laconic::cli {
namespace {

int run_export(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "export",
      "Writes the weights of a checkpoint as a Hugging Face folder: config.json, model.safetensors, "
      "tokenizer.\n"
      "CHECKPOINT is one of a run's checkpoints, or the run folder itself: its newest complete checkpoint. "
      "DIR is made.");
  line.positionals("CHECKPOINT DIR", 2, 2);
  line.section("Export");
  line.option("dtype", "f32|bf16", "of the weights in the file; default: as the checkpoint has them");
  line.option("model", "DIR",
              "folder with the model's config.json and tokenizer; default: model.path of the run's config.yaml");
  line.option("tokenizer", "PATH",
              "folder or tokenizer.json, or `chain`; default: beside --model, or as in the run's config.yaml");
  line.epilogue("Example:\n  laconic export runs/mine/checkpoints/step-00000040.0000 models/mine-40");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  trainers::ExportOptions options;
  options.from = line.words()[0];
  options.to = line.words()[1];
  options.model = line.text("model", "");
  options.tokenizer = line.text("tokenizer", "");
  if (line.has("dtype"))
    options.dtype = line.choice("dtype", {"f32", "bf16"}, "f32") == "bf16" ? at::kBFloat16 : at::kFloat;
  const auto exported = trainers::export_checkpoint(options);
  write_checked(
      streams.out,
      fmt::format(
          "{}: the model after step {}{}, {} parameters, {}, from {}\n", options.to.string(), exported.position.step,
          exported.position.update > 0 ? fmt::format(" and {} updates of the next", exported.position.update) : "",
          human_count(static_cast<double>(exported.parameters)), exported.dtype == at::kBFloat16 ? "bf16" : "f32",
          exported.checkpoint.string()));
  return kSuccess;
}

}  // namespace

Command export_command() {
  return {"export", "a checkpoint as a Hugging Face folder", CommandGroup::tools, run_export};
}

}  // namespace laconic::cli

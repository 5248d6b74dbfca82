// laconic plan: what a GRPO step would take on hardware that is described, not there.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "laconic/algorithms/registry.h"
#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/config/config.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/plan_report.h"
#include "laconic/trainers/run_config.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMany = 1'000'000'000;
constexpr const char* kHere = "here";

CommandLine plan_line() {
  CommandLine line(
      "plan",
      "Reckons a GRPO step of a model on a machine, or on thousands: seconds of rollout and training, memory "
      "of a rank\nfor each way to divide the state, bytes on the wire, what bounds it, and which "
      "parallel.shard to use.\nHARDWARE is a file such as configs/hardware/h100.yaml, or `here`: this "
      "machine, measured now. CONFIG is a\nconfiguration of `laconic train`, whose data are not read. "
      "Nothing runs. The formulas: docs/plan.md.");
  line.positionals("HARDWARE [CONFIG]", 1, 2);
  line.section("Hardware");
  line.option("nodes", "N", "machines; default: as HARDWARE says");
  line.option("devices", "N", "ranks of each; default: as HARDWARE says");
  line.option("threads", "N", "of `here`; default all cores");
  line.section("Model");
  line.option("model", "PATH", "folder with config.json, or the file; default: model.path of CONFIG");
  line.option("dtype", "f32|bf16", "of the weights; default: as CONFIG, else bf16");
  line.section("Step, over what CONFIG says");
  line.option("prompts", "N", "prompts of a step; default 128");
  line.option("group", "N", "completions of each; default 8");
  line.option("prompt-len", "N", "tokens of a prompt; default 256, or what the model's window leaves");
  line.option("new", "N", "limit of a completion; default 1024");
  line.option("mean-new", "X",
              "tokens of a completion on average, exponentially distributed; default: all at the limit");
  line.option("micro-batch-tokens", "N", "token budget of a pass; default 16384");
  line.option("max-rows", "N", "completions that a rank decodes at once; default 256");
  line.flag("recompute", "activation checkpointing");
  line.section("Output");
  line.flag("json", "print the result as one JSON object");
  line.epilogue(
      "Examples:\n"
      "  laconic plan configs/hardware/h100.yaml --nodes 16 --model configs/shapes/llama-3.1-70b.json --new 8192 "
      "--mean-new 2000\n"
      "  laconic plan here configs/quickstart/rl.yaml --model configs/quickstart/model");
  return line;
}

trainers::PlanHardware hardware_of(const CommandLine& line) {
  const std::string& file = line.words().front();
  trainers::PlanHardware hardware;
  if (file == kHere) {
    ops::set_threads(static_cast<int>(line.whole("threads", 0, 4096, 0)));
    hardware = trainers::measured_hardware();
  } else {
    if (line.has("threads")) fail(ErrorKind::usage, "--threads belongs to `here`; {} describes a machine", file);
    config::read_from_file(file, {}, hardware);
  }
  hardware.nodes = line.whole("nodes", 1, 1 << 20, hardware.nodes);
  hardware.devices_per_node = line.whole("devices", 1, 4096, hardware.devices_per_node);
  if (hardware.nodes > 1 && hardware.links.between.bandwidth <= 0)
    fail(ErrorKind::usage, "{}: {} nodes need links.between.bandwidth above 0", file, hardware.nodes);
  if (hardware.devices_per_node > 1 && hardware.links.within.bandwidth <= 0)
    fail(ErrorKind::usage, "{}: {} devices of a node need links.within.bandwidth above 0", file,
         hardware.devices_per_node);
  return hardware;
}

// A step as the configuration has it.
void take_config(const trainers::RlConfig& config, trainers::PlanWorkload& w) {
  const auto& common = config.objective.common;
  const auto needs = config.objective.make()->needs();
  w.prompts = config.train.prompts_per_step;
  w.group = common.group_size;
  w.new_tokens = config.rollout.max_tokens;
  w.updates = common.updates_per_rollout;
  w.micro_batch_tokens = config.train.micro_batch_tokens;
  w.recompute = config.train.recompute;
  w.bf16 = config.model.dtype == trainers::Precision::bf16;
  w.bf16_reduction = config.parallel.reduction == trainers::Precision::bf16;
  w.old_logprobs = needs.old_logprobs_early || w.updates > 1;
  w.reference = needs.reference_logprobs;
  w.max_rows = config.rollout.max_rows;
  w.kv_tokens = config.rollout.kv_tokens;
}

void take_options(const CommandLine& line, trainers::PlanWorkload& w) {
  w.bf16 = line.choice("dtype", {"f32", "bf16"}, w.bf16 ? "bf16" : "f32") == "bf16";
  w.prompts = line.whole("prompts", 1, kMany, w.prompts);
  w.group = line.whole("group", 1, kMany, w.group);
  w.prompt_tokens = line.whole("prompt-len", 1, kMany, w.prompt_tokens);
  w.new_tokens = line.whole("new", 1, kMany, w.new_tokens);
  w.mean_tokens = line.number("mean-new", 0);
  w.micro_batch_tokens = line.whole("micro-batch-tokens", 1, kMany, w.micro_batch_tokens);
  w.max_rows = line.whole("max-rows", 1, kMany, w.max_rows);
  w.recompute = w.recompute || line.has("recompute");
  if (line.has("mean-new") && (w.mean_tokens < 1 || w.mean_tokens > static_cast<double>(w.new_tokens)))
    fail(ErrorKind::usage, "--mean-new: expected a number from 1 to {}, the limit, found {}", w.new_tokens,
         w.mean_tokens);
}

int run_plan(const Arguments& arguments, Streams& streams) {
  CommandLine line = plan_line();
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const auto hardware = hardware_of(line);
  trainers::PlanWorkload workload;
  std::string model = line.text("model", "");
  if (line.words().size() > 1) {
    trainers::RlConfig config;
    config::read_from_file(line.words()[1], {}, config);
    take_config(config, workload);
    if (model.empty()) model = config.model.path;
  }
  take_options(line, workload);
  if (model.empty()) fail(ErrorKind::usage, "expected a configuration or --model, found neither");
  if (!std::filesystem::exists(model)) {
    fail(ErrorKind::usage, "the model {} does not exist; --model names a folder with its config.json, which is enough",
         model);
  }
  const auto shape = model::read_model_config(model);
  if (!line.has("prompt-len")) {
    workload.prompt_tokens =
        std::min(workload.prompt_tokens, std::max<int64_t>(1, shape.max_positions - workload.new_tokens));
  }
  if (const int64_t longest = workload.prompt_tokens + workload.new_tokens; longest > shape.max_positions) {
    fail(ErrorKind::usage, "--prompt-len, --new: {} tokens are longer than the model's window of {}", longest,
         shape.max_positions);
  }
  const auto plans = trainers::plan_steps(hardware, shape, model, workload);
  write_checked(streams.out, line.has("json") ? trainers::to_json(plans).dump() + "\n" : trainers::describe(plans));
  return kSuccess;
}

}  // namespace

Command plan_command() {
  return {"plan", "reckon a step on hardware that is described", CommandGroup::tools, run_plan};
}

}  // namespace laconic::cli

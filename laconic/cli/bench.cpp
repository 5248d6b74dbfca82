// laconic bench: the speed of generation, training and whole steps beside the machine's own bounds.
#include <nlohmann/json.hpp>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/benchmark.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMany = 1'000'000'000;

trainers::BenchmarkOptions read_options(const CommandLine& line) {
  trainers::BenchmarkOptions o;
  const std::string& workload = line.words().front();
  const std::vector<std::string> workloads = {"generate", "train", "step"};
  if (workload == "generate") {
    o.workload = trainers::Workload::generate;
  } else if (workload == "train") {
    o.workload = trainers::Workload::train;
    o.prompt_tokens = 256;
  } else if (workload == "step") {
    o.workload = trainers::Workload::step;
  } else {
    fail(ErrorKind::usage, "expected generate, train or step, found `{}`{}", workload,
         did_you_mean(workload, workloads));
  }
  if (line.has("fixed-length") && line.has("natural-length"))
    fail(ErrorKind::usage, "--fixed-length and --natural-length contradict each other");
  o.natural_length = line.has("natural-length");
  o.batch = line.whole("batch", 1, kMany, o.batch);
  o.prompt_tokens = line.whole("prompt-len", 1, kMany, o.prompt_tokens);
  o.new_tokens = line.whole("new", 1, kMany, o.new_tokens);
  o.prompts = line.whole("prompts", 1, kMany, o.prompts);
  o.group = line.whole("group", 2, kMany, o.group);
  o.repeats = line.whole("steps", 1, kMany, o.repeats);
  o.warmup = line.whole("warmup", 0, kMany, o.warmup);
  o.micro_batch_tokens = line.whole("micro-batch-tokens", 1, kMany, o.micro_batch_tokens);
  o.recompute = line.has("recompute");
  o.seed = static_cast<uint64_t>(line.whole("seed", 0, kMany, 0));
  return o;
}

int run_bench(const Arguments& arguments, Streams& streams) {
  CommandLine line("bench",
                   "Measures a workload on this machine: tokens per second (median and spread), where the time goes, "
                   "peak memory, and\n"
                   "the share of what the machine's measured arithmetic and memory speed allow.\n"
                   "  generate   --batch sequences, each a prompt of --prompt-len tokens and --new new ones\n"
                   "  train      one update on --batch sequences of --prompt-len tokens\n"
                   "  step       a GRPO step: --prompts x --group completions of --new tokens, then the update");
  line.positionals("generate|train|step", 1, 1);
  line.section("Model");
  line.option("model", "DIR", "folder with config.json, and weights with --init pretrained");
  line.option("init", "random|pretrained", "default random: speed does not depend on the weights");
  line.option("dtype", "f32|bf16", "of the weights; default f32");
  line.section("Workload");
  line.option("batch", "N", "sequences; default 8");
  line.option("prompt-len", "N", "tokens; default 32 (train: 256)");
  line.option("new", "N", "new tokens, the limit of a completion; default 128");
  line.flag("fixed-length", "every completion has --new tokens (the default)");
  line.flag("natural-length", "completions end at exponentially distributed lengths, a quarter of --new on average");
  line.option("prompts", "N", "prompts of a step; default 8");
  line.option("group", "N", "completions per prompt; default 8");
  line.option("micro-batch-tokens", "N", "token budget of one pass; default 2048");
  line.flag("recompute", "activation checkpointing");
  line.section("Measurement");
  line.option("steps", "N", "repetitions; default 5");
  line.option("warmup", "N", "repetitions before the measurement; default 1");
  line.option("threads", "N", "threads; default all cores");
  line.option("seed", "N", "of the random tokens and lengths; default 0");
  line.flag("json", "print the result as one JSON object");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const auto options = read_options(line);
  ops::set_threads(static_cast<int>(line.whole("threads", 0, 4096, 0)));
  const at::ScalarType dtype = line.choice("dtype", {"f32", "bf16"}, "f32") == "bf16" ? at::kBFloat16 : at::kFloat;
  const std::string folder = line.text("model");
  auto model = line.choice("init", {"random", "pretrained"}, "random") == "random"
                   ? model::Model::random(model::read_model_config(folder), options.seed, dtype, at::kCPU)
                   : model::Model::from_folder(folder, dtype, at::kCPU);
  const int64_t longest =
      options.prompt_tokens + (options.workload == trainers::Workload::train ? 0 : options.new_tokens);
  if (longest > model.config().max_positions) {
    fail(ErrorKind::usage, "sequences of {} tokens are longer than the model's window of {}", longest,
         model.config().max_positions);
  }
  auto result = trainers::run_benchmark(model, options);
  result["command"] = "laconic bench " + join(arguments, " ");
  write_checked(streams.out, line.has("json") ? result.dump() + "\n" : trainers::describe_benchmark(result));
  return kSuccess;
}

}  // namespace

Command bench_command() {
  return {"bench", "measure speed and memory on this machine", CommandGroup::tools, run_bench};
}

}  // namespace laconic::cli

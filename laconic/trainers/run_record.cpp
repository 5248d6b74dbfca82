#include "laconic/trainers/run_record.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>

#include "laconic/core/base/build_info.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/pass_rates.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string processor_name() {
  std::string text;
  try {
    text = read_file("/proc/cpuinfo");
  } catch (const Error&) {
    return "unknown";
  }
  const auto begin = text.find("model name");
  if (begin == std::string::npos) return "unknown";
  const auto colon = text.find(':', begin), end = text.find('\n', begin);
  return std::string(trim(std::string_view(text).substr(colon + 1, end - colon - 1)));
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace

std::string training_fingerprint(const RlConfig& config) {
  RlConfig c = config;
  c.output = {};
  c.checkpoint = {};
  c.parallel = {};
  c.eval = {};
  c.eval_data.reset();
  c.threads = 0;
  // Whose rewards fail may be mended in these.
  const auto own = c.reward.external;
  c.reward.external = {};
  c.reward.external.python = own.python;
  c.reward.external.command = own.command;
  if (c.optimizer.schedule.kind == optim::ScheduleKind::constant) c.train.steps = 1;
  std::string text = config::dump_yaml(c);
  // The same path may hold other rates.
  const auto add_content = [&](const std::string& key, const std::string& path) {
    if (path.empty()) return;
    TextHash hash;
    hash.add(read_file(path));
    text += fmt::format("content of {}: {}\n", key, hash.hex());
  };
  add_content("reference.pass_rates", c.reference.pass_rates);
  if (c.data.curriculum) add_content("data.curriculum.pass_rates", c.data.curriculum->pass_rates);
  return text;
}

std::string training_fingerprint(const SftConfig& config) {
  SftConfig c = config;
  c.output = {};
  c.checkpoint = {};
  c.parallel = {};
  c.threads = 0;
  c.train.eval_every = 0;
  c.train.log_every = 0;
  // The chain task's samples depend on the number of steps: it decides how long the clean phase is.
  if (c.optimizer.schedule.kind == optim::ScheduleKind::constant && c.data.source == DataSource::file)
    c.train.steps = 1;
  return config::dump_yaml(c);
}

void check_fingerprint(const std::string& saved, const std::string& now, const fs::path& checkpoint) {
  if (saved == now) return;
  const auto before = split(saved, '\n'), after = split(now, '\n');
  std::string differences;
  int shown = 0;
  const auto add = [&](const std::vector<std::string>& from, const std::vector<std::string>& to, const char* label) {
    for (const auto& line : from) {
      if (std::find(to.begin(), to.end(), line) == to.end() && ++shown <= 12)
        differences += fmt::format("\n  {} {}", label, trim(line));
    }
  };
  add(before, after, "checkpoint:");
  add(after, before, "now:       ");
  fail(ErrorKind::usage,
       "{} was written under another configuration; a resumed run may change output, checkpoint, threads, evaluation "
       "and, with a constant learning rate, train.steps:{}",
       checkpoint.string(), differences);
}

Json versions_json(const std::string& command, uint64_t seed) {
  const auto build = build_info();
  return {{"laconic", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type},
          {"libtorch", TORCH_VERSION},
          {"kernels", ops::kernels().name},
          {"processor", processor_name()},
          {"host", host_name()},
          {"threads", ops::threads()},
          {"seed", seed},
          {"command", command}};
}

std::vector<optim::TrainedTensor> trained_tensors(const model::Model& model) {
  std::vector<optim::TrainedTensor> tensors;
  for (const auto& parameter : model.parameters())
    tensors.push_back({parameter.name, parameter.tensor, parameter.decay});
  return tensors;
}

void restore_weights(model::Model& model, const optim::TensorSource& weights) {
  const at::NoGradGuard no_grad;
  std::vector<optim::ExpectedTensor> expected;
  expected.reserve(model.parameters().size());
  for (const auto& parameter : model.parameters())
    expected.push_back({parameter.name, parameter.tensor.sizes().vec(), parameter.tensor.scalar_type()});
  optim::check_holds(weights, expected, "weights");
  for (const auto& parameter : model.parameters())
    weights.read(parameter.name, 0, parameter.tensor.detach().view({-1}));
}

Json evaluation_row(int64_t step, const EvalReport& report) {
  Json row = {{"step", step}};
  row.update(report.to_json());
  Json examples = Json::array();
  for (const auto& e : report.examples) {
    examples.push_back({{"prompt", e.prompt},
                        {"completion", e.completion},
                        {"answer", e.answer},
                        {"gold", e.gold},
                        {"correct", e.correct},
                        {"truncated", e.truncated},
                        {"tokens", e.tokens}});
  }
  row["examples"] = std::move(examples);
  return row;
}

std::vector<Json> read_evaluations(const fs::path& run_folder) {
  const auto path = run_folder / "evaluations.jsonl";
  return fs::exists(path) ? metrics::read_jsonl(path).rows : std::vector<Json>{};
}

double trained_seconds(const fs::path& run_folder) {
  double seconds = 0;
  const auto path = run_folder / "timing.jsonl";
  if (!fs::exists(path)) return 0;
  for (const auto& row : metrics::read_jsonl(path).rows) {
    if (row.contains("time/step_s") && row["time/step_s"].is_number()) seconds += row["time/step_s"].get<double>();
  }
  return seconds;
}

Json seconds_of_parent(const fs::path& model_path) {
  const auto summary = fs::absolute(model_path).lexically_normal().parent_path() / "summary.json";
  if (!fs::exists(summary)) return Json::object();
  try {
    const auto json = Json::parse(read_file(summary));
    return json.contains("seconds") && json["seconds"].is_object() ? json["seconds"] : Json::object();
  } catch (const Json::exception&) {
    return Json::object();  // another program's file of that name
  }
}

}  // namespace laconic::trainers

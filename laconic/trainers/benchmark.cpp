#include "laconic/trainers/benchmark.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "laconic/algorithms/registry.h"
#include "laconic/core/base/build_info.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/machine_speed.h"
#include "laconic/trainers/memory.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/update.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;

// Seconds of the parts of one repetition, and the tokens that its rate counts.
struct Repetition {
  double seconds = 0;
  int64_t tokens = 0;
  std::vector<std::pair<std::string, double>> split;
};

class Bench {
 public:
  Bench(model::Model& model, const BenchmarkOptions& options) : model_(model), o_(options) {
    rollout::EngineOptions engine;
    const int64_t sequences = o_.workload == Workload::step ? o_.prompts * o_.group : o_.batch;
    engine.kv_tokens = sequences * (o_.prompt_tokens + o_.new_tokens + 32);
    engine.max_rows = std::max<int64_t>(sequences, 1);
    if (o_.workload != Workload::train) engine_ = std::make_unique<rollout::Engine>(model_, engine);
    if (o_.workload != Workload::generate) {
      model_.set_trainable(true);
      optimizer_ = std::make_unique<optim::AdamW>(trained_tensors(model_), optim::AdamWOptions{});
      algorithms::register_builtin_methods();
      objective_ = algorithms::ObjectiveSection().make();
    }
  }

  Repetition run(int64_t repetition) {
    switch (o_.workload) {
      case Workload::generate:
        return generate(o_.batch, 1, repetition).first;
      case Workload::train:
        return train(repetition);
      case Workload::step:
        return whole_step(repetition);
    }
    return {};
  }

 private:
  std::vector<int32_t> random_ids(uint64_t stream, int64_t count) const {
    Rng rng(DrawPurpose::procedural_data, {o_.seed, stream});
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<int32_t>(rng.below(static_cast<uint32_t>(model_.config().vocab_size))));
    return ids;
  }

  int64_t length_of(int64_t repetition, int64_t index) const {
    if (!o_.natural_length) return o_.new_tokens;
    Rng rng(DrawPurpose::procedural_data,
            {o_.seed, 77, static_cast<uint64_t>(repetition), static_cast<uint64_t>(index)});
    const double length = -std::log(rng.uniform()) * static_cast<double>(o_.new_tokens) / 4.0;
    return std::clamp<int64_t>(std::llround(length), 1, o_.new_tokens);
  }

  std::pair<Repetition, std::vector<algorithms::Group>> generate(int64_t prompts, int64_t group, int64_t repetition) {
    std::vector<algorithms::Group> groups(static_cast<size_t>(prompts));
    for (int64_t p = 0; p < prompts; ++p) {
      auto& g = groups[static_cast<size_t>(p)];
      g.prompt_ids = random_ids(static_cast<uint64_t>(p) + 1000 * static_cast<uint64_t>(repetition), o_.prompt_tokens);
      for (int64_t s = 0; s < group; ++s) {
        rollout::Request request;
        request.prompt = g.prompt_ids;
        request.max_tokens = length_of(repetition, p * group + s);
        request.identity = {o_.seed, static_cast<uint64_t>(repetition), static_cast<uint64_t>(p),
                            static_cast<uint32_t>(s)};
        engine_->submit(std::move(request));
      }
    }
    const auto before = engine_->statistics();
    const Timer timer;
    const auto completions = engine_->run();
    Repetition result;
    result.seconds = timer.seconds();
    const auto after = engine_->statistics();
    result.split = {{"forward", after.forward_seconds - before.forward_seconds},
                    {"head", after.head_seconds - before.head_seconds},
                    {"sample", after.sample_seconds - before.sample_seconds}};
    for (size_t i = 0; i < completions.size(); ++i) {
      algorithms::Sample sample;
      sample.ids = completions[i].ids;
      sample.length = static_cast<int64_t>(sample.ids.size());
      sample.logp_rollout.assign(completions[i].logprobs.begin(), completions[i].logprobs.end());
      sample.given_reward = static_cast<double>(i % 3 == 0);
      result.tokens += sample.length;
      groups[i / static_cast<size_t>(group)].samples.push_back(std::move(sample));
    }
    return {std::move(result), std::move(groups)};
  }

  // Sequences of prompt_tokens tokens, every token but the first in the loss.
  Repetition train(int64_t repetition) {
    std::vector<algorithms::Group> groups(static_cast<size_t>(o_.batch));
    for (int64_t i = 0; i < o_.batch; ++i) {
      auto& g = groups[static_cast<size_t>(i)];
      auto ids = random_ids(static_cast<uint64_t>(i) + 1000 * static_cast<uint64_t>(repetition), o_.prompt_tokens);
      g.prompt_ids = {ids.front()};
      algorithms::Sample sample;
      sample.ids.assign(ids.begin() + 1, ids.end());
      sample.length = static_cast<int64_t>(sample.ids.size());
      sample.advantage = {i % 2 == 0 ? 1.0 : -1.0};
      g.samples.push_back(std::move(sample));
    }
    auto result = update_on(groups);
    result.tokens = o_.batch * o_.prompt_tokens;
    return result;
  }

  Repetition update_on(const std::vector<algorithms::Group>& groups) {
    std::vector<const algorithms::Group*> pointers;
    pointers.reserve(groups.size());
    for (const auto& group : groups) pointers.push_back(&group);
    const Timer timer;
    auto mini_batch = algorithms::make_mini_batch(objective_->config().loss, pointers, o_.new_tokens);
    const auto report =
        update(model_, *objective_, mini_batch, *optimizer_, 1e-6, {o_.micro_batch_tokens, {o_.recompute}});
    Repetition result;
    result.seconds = timer.seconds();
    result.split = {{"forward", report.forward_seconds},
                    {"backward", report.backward_seconds},
                    {"optimizer", report.optimizer_seconds}};
    return result;
  }

  Repetition whole_step(int64_t repetition) {
    auto [rollout, groups] = generate(o_.prompts, o_.group, repetition);
    algorithms::Step step;
    step.max_completion_tokens = o_.new_tokens;
    step.groups = std::move(groups);
    objective_->rewards(step);
    objective_->advantages(step);
    const auto training = update_on(step.groups);
    Repetition result;
    result.seconds = rollout.seconds + training.seconds;
    result.tokens = rollout.tokens;
    result.split = {{"rollout", rollout.seconds}};
    result.split.insert(result.split.end(), training.split.begin(), training.split.end());
    return result;
  }

  model::Model& model_;
  BenchmarkOptions o_;
  std::unique_ptr<rollout::Engine> engine_;
  std::unique_ptr<optim::AdamW> optimizer_;
  std::unique_ptr<algorithms::Objective> objective_;
};

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

Json spread(const std::vector<double>& values) {
  return {{"median", median_of(values)},
          {"min", *std::min_element(values.begin(), values.end())},
          {"max", *std::max_element(values.begin(), values.end())}};
}

// Tokens per second that the machine's arithmetic and memory allow at most.
double bound(const model::Model& model, const BenchmarkOptions& o, const MachineSpeed& speed) {
  const auto& config = model.config();
  const double weight_bytes = model.dtype() == at::kBFloat16 ? 2.0 : 4.0;
  const double mean_new =
      o.natural_length ? static_cast<double>(o.new_tokens) / 4.0 : static_cast<double>(o.new_tokens);
  const auto prompt = static_cast<double>(o.prompt_tokens);
  const auto decode_seconds = [&](double rows) {  // of one token of each row
    return decode_step_bound(config, rows, prompt + mean_new / 2, weight_bytes, speed.flops, speed.bandwidth);
  };
  const auto prefill_flops = [&](double prompts) {
    return prompts * prompt * training_flops_per_token(config, prompt, false) / 3.0;
  };
  if (o.workload == Workload::train) return speed.flops / training_flops_per_token(config, prompt, o.recompute);
  const double rows =
      o.workload == Workload::generate ? static_cast<double>(o.batch) : static_cast<double>(o.prompts * o.group);
  const double distinct = o.workload == Workload::generate ? rows : static_cast<double>(o.prompts);
  const double rollout = decode_seconds(rows) * mean_new + prefill_flops(distinct) / speed.flops;
  if (o.workload == Workload::generate) return rows * mean_new / rollout;
  const double length = prompt + mean_new;
  const double training = rows * length * training_flops_per_token(config, length, o.recompute) / speed.flops;
  return rows * mean_new / (rollout + training);
}

const char* name_of(Workload workload) {
  switch (workload) {
    case Workload::generate:
      return "generate";
    case Workload::train:
      return "train";
    case Workload::step:
      return "step";
  }
  return "";
}

}  // namespace

Json run_benchmark(model::Model& model, const BenchmarkOptions& o) {
  Bench bench(model, o);
  metrics::Progress progress("bench", o.warmup + o.repeats, "repetitions");
  reset_peak_resident();
  std::vector<double> rates, seconds;
  std::vector<std::pair<std::string, std::vector<double>>> parts;
  for (int64_t i = 0; i < o.warmup + o.repeats; ++i) {
    const auto r = bench.run(i);
    progress.update(i + 1);
    if (i < o.warmup) continue;
    rates.push_back(static_cast<double>(r.tokens) / r.seconds);
    seconds.push_back(r.seconds);
    if (parts.empty()) {
      for (const auto& part : r.split) parts.push_back({part.first, {}});
    }
    for (size_t p = 0; p < r.split.size(); ++p) parts[p].second.push_back(r.split[p].second);
  }
  progress.finish();
  const int64_t peak = peak_resident_bytes();
  const auto speed = measure_machine_speed();
  Json split = Json::object();
  for (const auto& [name, values] : parts) split[name + "_s"] = median_of(values);
  const double limit = bound(model, o, speed);
  Json result = {
      {"workload", name_of(o.workload)},
      {"tokens_per_s", spread(rates)},
      {"seconds", spread(seconds)},
      {"split", split},
      {"bound_tokens_per_s", limit},
      {"share_of_bound", median_of(rates) / limit},
      {"peak_memory_bytes", peak},
      {"machine", {{"flops_f32", speed.flops}, {"bytes_per_s", speed.bandwidth}, {"threads", ops::threads()}}},
      {"model",
       {{"parameters", model.config().total_parameters()}, {"dtype", model.dtype() == at::kBFloat16 ? "bf16" : "f32"}}},
      {"repeats", o.repeats},
      {"commit", build_info().commit}};
  if (o.workload == Workload::train) {
    const auto predicted = state_bytes(model.config(), model.dtype() == at::kBFloat16).total() +
                           activation_bytes(model.config(), std::min(o.micro_batch_tokens, o.batch * o.prompt_tokens),
                                            o.recompute, policy::PolicyOptions{}.head_chunk_bytes)
                               .total();
    result["predicted_memory_bytes"] = predicted;
    result["flops_utilisation"] =
        median_of(rates) * training_flops_per_token(model.config(), static_cast<double>(o.prompt_tokens), o.recompute) /
        speed.flops;
  }
  return result;
}

std::string describe_benchmark(const Json& r) {
  const auto& rate = r.at("tokens_per_s");
  std::string text =
      fmt::format("{:10} {} tokens/s (median of {}; {} to {}), {:.3f} s each\n", r.at("workload").get<std::string>(),
                  human_count(rate.at("median")), r.at("repeats").get<int64_t>(), human_count(rate.at("min")),
                  human_count(rate.at("max")), r.at("seconds").at("median").get<double>());
  std::string split;
  const double total = r.at("seconds").at("median");
  for (const auto& [name, value] : r.at("split").items()) {
    split += fmt::format("{}{} {:.0f} %", split.empty() ? "" : ", ", name.substr(0, name.size() - 2),
                         100.0 * value.get<double>() / total);
  }
  text += fmt::format("split      {}\n", split);
  text += fmt::format("bound      {} tokens/s; reached {:.0f} %\n", human_count(r.at("bound_tokens_per_s")),
                      100.0 * r.at("share_of_bound").get<double>());
  if (r.contains("flops_utilisation"))
    text +=
        fmt::format("arithmetic {:.0f} % of the measured GEMM rate\n", 100.0 * r.at("flops_utilisation").get<double>());
  text += fmt::format("memory     peak {} resident{}\n", human_bytes(r.at("peak_memory_bytes")),
                      r.contains("predicted_memory_bytes") ? fmt::format(", states and activations predicted {}",
                                                                         human_bytes(r.at("predicted_memory_bytes")))
                                                           : "");
  text += fmt::format("machine    GEMM {:.1f} GFLOP/s, memory {:.1f} GB/s, {} threads; commit {}\n",
                      r.at("machine").at("flops_f32").get<double>() / 1e9,
                      r.at("machine").at("bytes_per_s").get<double>() / 1e9, r.at("machine").at("threads").get<int>(),
                      r.at("commit").get<std::string>());
  return text;
}

}  // namespace laconic::trainers

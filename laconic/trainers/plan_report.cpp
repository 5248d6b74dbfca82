#include "laconic/trainers/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;
using distributed::Shard;

constexpr double kAlike = 1.01;  // steps that differ by less are as good as each other
constexpr int64_t kMostNodes = 65536;
constexpr size_t kShownCauses = 4;

std::vector<StepPlan> plan_all(const PlanHardware& hardware, const model::ModelConfig& model,
                               const PlanWorkload& workload) {
  std::vector<StepPlan> plans;
  for (const auto& division : all_divisions()) {
    plans.push_back(plan_step(hardware, model, workload, division));
    if (hardware.devices() == 1) break;
  }
  return plans;
}

std::optional<size_t> best_of(const std::vector<StepPlan>& plans) {
  std::optional<size_t> best;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].fits) continue;
    if (!best || plans[i].times.total() * kAlike < plans[*best].times.total()) best = i;
  }
  return best;
}

// "989 TFLOP/s"
std::string with_prefix(double value, const char* unit) {
  const char* const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t i = 0;
  for (; value >= 1000.0 && i + 1 < std::size(prefixes); ++i) value /= 1000.0;
  return fmt::format("{:.3g} {}{}", value, prefixes[i], unit);
}

std::string seconds(double value) {
  return value >= 120 ? human_duration(value) : fmt::format("{:.3g} s", value);
}

std::string line(const char* label, const std::string& text) {
  return fmt::format("{:10}{}\n", label, text);
}

std::string heading(const StepPlans& p) {
  const auto& hw = p.hardware;
  const auto& w = p.workload;
  std::string links;
  if (hw.devices_per_node > 1)
    links += fmt::format("; within a node {} per device", with_prefix(hw.links.within.bandwidth, "B/s"));
  if (hw.nodes > 1) links += fmt::format("; between nodes {} per node", with_prefix(hw.links.between.bandwidth, "B/s"));
  std::string text =
      line("hardware", fmt::format("{}{}: {} rank{} of {}, {}, {}{}", hw.name.empty() ? "unnamed" : hw.name,
                                   hw.nodes > 1 ? fmt::format(" x {}", hw.nodes) : "", hw.devices(),
                                   hw.devices() > 1 ? "s" : "", with_prefix(hw.device.flops, "FLOP/s"),
                                   with_prefix(hw.device.bandwidth, "B/s"), human_bytes(hw.device.memory), links));
  text += line("model", fmt::format("{}: {} parameters, {} layers, {}", p.model_name,
                                    human_count(static_cast<double>(p.model.total_parameters())), p.model.layers,
                                    w.bf16 ? "bf16 weights with f32 masters" : "f32 weights"));
  text +=
      line("step", fmt::format("{} prompts x {} = {} completions of {:.4g} tokens on average, at most {}; prompts of "
                               "{}; {} update(s){}{}{}",
                               w.prompts, w.group, w.prompts * w.group, w.mean(), w.new_tokens, w.prompt_tokens,
                               w.updates, w.old_logprobs ? ", logprobs of the sampling policy" : "",
                               w.reference ? ", a reference" : "", w.recompute ? ", recomputation" : ""));
  return text;
}

double rollout_seconds(const PlanTimes& t) {
  return t.gather + t.prefill + t.decode + t.exchange;
}
double training_seconds(const PlanTimes& t) {
  return t.forward + t.backward + t.reduce + t.optimizer;
}

std::string table(const StepPlans& p) {
  std::string text =
      fmt::format("\n{:20}{:>12}  {:5}{:>11}{:>11}{:>11}{:>13}{:>12}{:>13}\n", "parallel.shard", "memory/rank", "fits",
                  "rollout", "logprobs", "training", "step", "tokens/s", "sent/rank");
  for (const auto& plan : p.plans) {
    const auto& t = plan.times;
    text += fmt::format("{:20}{:>12}  {:5}{:>11}{:>11}{:>11}{:>13}{:>12}{:>13}\n", describe(plan.division),
                        human_bytes(plan.memory.total()), plan.fits ? "yes" : "no", seconds(rollout_seconds(t)),
                        seconds(t.score), seconds(training_seconds(t)), seconds(t.total()),
                        human_count(plan.tokens / t.total()), human_bytes(plan.wire_bytes));
  }
  return text + "\n";
}

std::string settings(const PlanDivision& division) {
  if (division.shard != Shard::parameters) return fmt::format("parallel.shard: {}", describe(division));
  return fmt::format("parallel.shard: parameters, parallel.gather_for_rollout: {}",
                     division.whole_rollout ? "whole" : "layers");
}

std::string memory_text(const PlanMemory& m) {
  std::string text;
  for (const auto& [name, bytes] : {std::pair{"weights", m.weights},
                                    {"optimizer", m.optimizer},
                                    {"reference", m.reference},
                                    {"KV cache", m.kv_cache},
                                    {"weights gathered for the rollout", m.rollout_weights},
                                    {"gradients", m.gradients},
                                    {"activations", m.activations}}) {
    if (bytes > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, human_bytes(bytes));
  }
  return text;
}

std::string bound_text(const StepPlan& plan) {
  std::string text;
  for (size_t i = 0; i < std::min(kShownCauses, plan.causes.size()); ++i) {
    const auto& [cause, time] = plan.causes[i];
    if (time < 0.01 * plan.times.total()) break;
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", cause, 100.0 * time / plan.times.total());
  }
  return text;
}

// What would help, in the terms of a configuration.
std::string advice(const StepPlans& p, const StepPlan& plan) {
  std::string text;
  if (plan.idle_ranks > 0) {
    text += line("note", fmt::format("{} of {} ranks have no prompt to sample: train.prompts_per_step of {} or more "
                                     "would use them",
                                     plan.idle_ranks, p.hardware.devices(), p.hardware.devices()));
  }
  const double waiting =
      static_cast<double>(p.workload.group) *
      std::max(1.0, static_cast<double>(p.workload.prompts) / static_cast<double>(p.hardware.devices()));
  if (static_cast<double>(plan.rows) < 0.5 * waiting) {
    text +=
        line("note", fmt::format("{} of about {:.0f} completions of a rank are decoded at once: rollout.max_rows and "
                                 "rollout.kv_tokens bound them",
                                 plan.rows, waiting));
  }
  return text;
}

std::string verdict(const StepPlans& p) {
  if (!p.best) {
    const auto least = std::min_element(p.plans.begin(), p.plans.end(), [](const auto& a, const auto& b) {
      return a.memory.total() < b.memory.total();
    });
    std::string text = line("use", fmt::format("nothing fits into {} per rank; the least, {}, takes {}",
                                               human_bytes(p.hardware.device.memory - p.hardware.device.reserved),
                                               describe(least->division), human_bytes(least->memory.total())));
    text += line("memory", memory_text(least->memory));
    if (p.fits_with_less) {
      text += line("note", fmt::format("{} fits with train.recompute: true and train.micro_batch_tokens: {}",
                                       describe(*p.fits_with_less), p.workload.prompt_tokens + p.workload.new_tokens));
    }
    text += line("note", p.nodes_needed ? fmt::format("as it is, it fits from {} nodes on", *p.nodes_needed)
                                        : "as it is, more nodes do not help");
    return text;
  }
  const auto& plan = p.plans[*p.best];
  std::string text =
      p.hardware.devices() > 1
          ? line("use", fmt::format("{}, {} per step", settings(plan.division), seconds(plan.times.total())))
          : "";
  text += line("memory", memory_text(plan.memory));
  text += line("bound", bound_text(plan));
  return text + advice(p, plan);
}

Json to_json(const StepPlan& plan) {
  const auto& m = plan.memory;
  const auto& t = plan.times;
  Json causes = Json::object();
  for (const auto& [name, time] : plan.causes) causes[name] = time;
  return {{"shard", describe(plan.division)},
          {"fits", plan.fits},
          {"memory_bytes",
           {{"total", m.total()},
            {"weights", m.weights},
            {"optimizer", m.optimizer},
            {"reference", m.reference},
            {"kv_cache", m.kv_cache},
            {"rollout_weights", m.rollout_weights},
            {"training_weights", m.training_weights},
            {"gradients", m.gradients},
            {"activations", m.activations}}},
          {"seconds",
           {{"total", t.total()},
            {"gather", t.gather},
            {"prefill", t.prefill},
            {"decode", t.decode},
            {"exchange", t.exchange},
            {"score", t.score},
            {"forward", t.forward},
            {"backward", t.backward},
            {"reduce", t.reduce},
            {"optimizer", t.optimizer}}},
          {"causes_seconds", causes},
          {"tokens_per_s", plan.tokens / t.total()},
          {"wire_bytes", plan.wire_bytes},
          {"rows", plan.rows},
          {"idle_ranks", plan.idle_ranks},
          {"micro_batches", plan.micro_batches}};
}

}  // namespace

StepPlans plan_steps(const PlanHardware& hardware, const model::ModelConfig& model, std::string model_name,
                     const PlanWorkload& workload) {
  StepPlans result{hardware, model, std::move(model_name), workload, plan_all(hardware, model, workload), {}};
  result.best = best_of(result.plans);
  if (result.best) return result;
  auto less = workload;
  less.recompute = true;
  less.micro_batch_tokens = workload.prompt_tokens + workload.new_tokens;
  const auto smaller = plan_all(hardware, model, less);
  if (const auto best = best_of(smaller)) result.fits_with_less = smaller[*best].division;
  auto larger = hardware;
  while (!result.nodes_needed && larger.nodes < kMostNodes && larger.links.between.bandwidth > 0) {
    larger.nodes *= 2;
    if (best_of(plan_all(larger, model, workload))) result.nodes_needed = larger.nodes;
  }
  return result;
}

std::string describe(const StepPlans& plans) {
  return heading(plans) + table(plans) + verdict(plans);
}

Json to_json(const StepPlans& p) {
  Json plans = Json::array();
  for (const auto& plan : p.plans) plans.push_back(to_json(plan));
  return {{"hardware", p.hardware.name},
          {"ranks", p.hardware.devices()},
          {"model", p.model_name},
          {"parameters", p.model.total_parameters()},
          {"completions", p.workload.prompts * p.workload.group},
          {"plans", plans},
          {"use", p.best ? Json(describe(p.plans[*p.best].division)) : Json(nullptr)},
          {"fits_with_less", p.fits_with_less ? Json(describe(*p.fits_with_less)) : Json(nullptr)},
          {"nodes_needed", p.nodes_needed ? Json(*p.nodes_needed) : Json(nullptr)}};
}

}  // namespace laconic::trainers

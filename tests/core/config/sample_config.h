// A configuration with one of everything: all field types, presets, methods with fields of their own, conditional
// fields, an optional section, contradictions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/config/config.h"

namespace laconic::config {

enum class SampleSource { file, chain };
enum class SampleLoss { clipped, cispo };

struct SampleData {
  SampleSource source = SampleSource::file;
  std::string path = "train.jsonl";
  std::string format = "auto";
  std::string prompt_template = "{prompt}";
  uint64_t limit = 0;
  bool chat = true;
  std::string system;
  int per_grade = 200;

  void visit(Visitor& v) {
    v.choice("source", source, {{"file", SampleSource::file}, {"chain", SampleSource::chain}}, {.help = "where from"});
    if (const auto block = v.when(source == SampleSource::file, "source: file")) {
      v.field("path", path, {.help = "JSON lines"});
      v.choice("format", format, {"auto", "jsonl", "csv"}, {.help = "of the file"});
      v.field("prompt_template", prompt_template, {.help = "text around the prompt"});
      v.field("limit", limit, {.help = "use only so many"});
      v.field("chat", chat, {.help = "wrap the prompt"});
      v.field("system", system, {.help = "system message"});
      v.check(!path.empty(), "path", "expected the path of a data file, found nothing");
      v.check(system.empty() || chat, "system, chat", "a system message needs chat: true");
    }
    if (const auto block = v.when(source == SampleSource::chain, "source: chain"))
      v.field("per_grade", per_grade, {.help = "problems of each grade", .min = 1.0});
  }
};

struct SampleLossSection {
  SampleLoss kind = SampleLoss::clipped;
  double clip_low = 0.2;
  double clip_high = 0.2;
  std::optional<double> dual_clip;
  double entropy_quantile = 1.0;

  void visit(Visitor& v) {
    v.choice("kind", kind, {{"clipped", SampleLoss::clipped}, {"cispo", SampleLoss::cispo}}, {.help = "the term"});
    v.field("clip_low", clip_low, {.help = "lower clip", .min = 0.0});
    v.field("clip_high", clip_high, {.help = "upper clip", .min = 0.0});
    v.field("dual_clip", dual_clip, {.help = "c > 1", .min = 1.0, .exclusive_min = true});
    v.field("entropy_quantile", entropy_quantile, {.help = "share", .min = 0.0, .max = 1.0, .exclusive_min = true});
    v.check(kind == SampleLoss::clipped || !dual_clip, "dual_clip, kind", "dual_clip belongs to kind: clipped");
  }
};

class SampleMethod {
 public:
  virtual ~SampleMethod() = default;
  virtual void visit(Visitor& v) = 0;
  virtual std::unique_ptr<SampleMethod> clone() const = 0;
};

class LaserMethod : public SampleMethod {
 public:
  int64_t target_length = 4096;
  void visit(Visitor& v) override {
    v.field("target_length", target_length, {.help = "the wanted length", .min = 1.0, .unit = "tokens"});
  }
  std::unique_ptr<SampleMethod> clone() const override { return std::make_unique<LaserMethod>(*this); }
};

struct SampleObjective {
  std::string name = "grpo";
  std::string preset;
  int group_size = 8;
  double temperature = 1.0;
  std::map<std::string, double> reward_weights;
  SampleLossSection loss;
  std::unique_ptr<SampleMethod> own;

  SampleObjective() = default;
  SampleObjective(const SampleObjective& other) { *this = other; }
  SampleObjective& operator=(const SampleObjective& other) {
    name = other.name;
    preset = other.preset;
    group_size = other.group_size;
    temperature = other.temperature;
    reward_weights = other.reward_weights;
    loss = other.loss;
    own = other.own ? other.own->clone() : nullptr;
    return *this;
  }

  void visit(Visitor& v) {
    v.choice("name", name, {"grpo", "laser"}, {.help = "the method"});
    if (v.reading()) own = name == "laser" ? std::make_unique<LaserMethod>() : nullptr;
    v.choice("preset", preset, {"", "dapo", "gspo"}, {.help = "a published recipe"});
    if (v.reading() && preset == "dapo") {
      loss.clip_high = 0.28;
      group_size = 16;
    }
    v.field("group_size", group_size, {.help = "completions per prompt", .min = 1.0, .max = 65536.0});
    v.field("temperature", temperature, {.help = "of sampling", .min = 0.0, .exclusive_min = true});
    v.field("reward_weights", reward_weights, {.help = "name -> weight"});
    v.section("loss", loss, "the policy term");
    if (v.describing()) {
      LaserMethod laser;
      if (const auto block = v.when(false, "name: laser")) v.section("laser", laser, "shorter | better");
    } else if (own) {
      v.section(name, *own, "");
    }
  }
};

struct SampleRollout {
  int max_tokens = 256;
  double top_p = 1.0;
  int64_t kv_tokens = 0;
  std::vector<std::string> stop;
  std::vector<double> temperatures;
  std::vector<int64_t> buckets;

  void visit(Visitor& v) {
    v.field("max_tokens", max_tokens, {.help = "limit of a completion", .min = 1.0, .unit = "tokens"});
    v.field("top_p", top_p, {.help = "nucleus", .min = 0.0, .max = 1.0, .exclusive_min = true, .exclusive_max = false});
    v.field("kv_tokens", kv_tokens, {.help = "budget", .min = 0.0, .unit = "tokens"});
    v.field("stop", stop, {.help = "strings that end a completion"});
    v.field("temperatures", temperatures, {.help = "per round", .min = 0.0});
    v.field("buckets", buckets, {.help = "lengths", .min = 1.0});
  }
};

struct SampleReward {
  std::map<std::string, std::string> options;
  bool format = false;
  std::optional<std::string> command;
  std::optional<int64_t> timeout;

  void visit(Visitor& v) {
    v.field("options", options, {.help = "of the verifier"});
    v.field("format", format, {.help = "also the format"});
    v.field("command", command, {.help = "an external verifier"});
    v.field("timeout", timeout, {.help = "of the command", .min = 0.0, .exclusive_min = true, .unit = "seconds"});
  }
};

struct SampleTrain {
  int steps = 100;
  int micro_batch_tokens = 4096;
  double lr = 1e-6;

  void visit(Visitor& v) {
    v.field("steps", steps, {.help = "rollout steps", .min = 1.0});
    v.field("micro_batch_tokens", micro_batch_tokens, {.help = "token budget", .min = 1.0});
    v.field("lr", lr, {.help = "learning rate", .min = 0.0});
  }
};

struct SampleConfig {
  uint64_t seed = 0;
  SampleData data;
  std::optional<SampleData> eval_data;
  SampleObjective objective;
  SampleRollout rollout;
  SampleReward reward;
  SampleTrain train;

  void visit(Visitor& v) {
    v.field("seed", seed, {.help = "every random draw follows from it"});
    v.section("data", data, "training prompts");
    v.optional_section("eval_data", eval_data, "evaluation prompts");
    v.section("objective", objective, "the method");
    v.section("rollout", rollout, "sampling");
    v.section("reward", reward, "judging");
    v.section("train", train, "the loop");
    v.check(train.steps % objective.group_size == 0 || objective.group_size != 7, "train.steps, objective.group_size",
            "steps must be a multiple of seven");
  }
};

inline SampleConfig read_sample(const std::string& text, const std::vector<std::string>& overrides = {}) {
  SampleConfig config;
  read_from_yaml(text, "run.yaml", overrides, config);
  return config;
}

// The message of the error that reading gives; "" where it succeeds.
inline std::string sample_error(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    read_sample(text, overrides);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::usage ? error.what() : std::string("not of kind usage: ") + error.what();
  }
  return "";
}

}  // namespace laconic::config

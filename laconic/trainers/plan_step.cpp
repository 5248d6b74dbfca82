#include "laconic/trainers/plan_step.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "laconic/core/ops/paged_attention.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/rank_costs.h"

namespace laconic::trainers {
namespace {

using distributed::Shard;
using model::ModelConfig;

// The formulas of costs.h are those of the CPU, whose activations, keys and values are f32.
constexpr double kCostsValueBytes = 4;
constexpr double kSampledLogitReads = 2;     // passes over the logits of a decoding step
constexpr double kExchangedTokenBytes = 10;  // a token of a completion with its logprob, as ranks exchange it
constexpr int kSlices = 400;                 // of the decoding steps, for the sum over them

double ceil_share(int64_t items, int64_t ranks) {
  return std::ceil(static_cast<double>(items) / static_cast<double>(ranks));
}

// Lengths of completions: exponential, cut at the limit, or all at the limit.
class Lengths {
 public:
  explicit Lengths(const PlanWorkload& w) : limit_(static_cast<double>(w.new_tokens)) {
    if (w.mean() >= 0.999 * limit_) return;
    // The mean of min(X, limit), scale * (1 - exp(-limit / scale)), grows with the scale.
    double low = 0, high = 1e6 * limit_;
    for (int i = 0; i < 200; ++i) {
      scale_ = 0.5 * (low + high);
      (scale_ * -std::expm1(-limit_ / scale_) < w.mean() ? low : high) = scale_;
    }
  }
  // Share of the completions that are longer than `tokens`, below the limit.
  double longer_than(double tokens) const { return scale_ == 0 ? 1.0 : std::exp(-tokens / scale_); }
  double limit() const { return limit_; }

 private:
  double limit_, scale_ = 0;
};

class Planner {
 public:
  Planner(const PlanHardware& hardware, const ModelConfig& model, const PlanWorkload& workload,
          const PlanDivision& division)
      : hw_(hardware), model_(model), w_(workload), ranks_(hardware.devices()), collectives_(hardware) {
    plan_.division = division;
    // One rank divides nothing.
    shard_ = ranks_ == 1 ? Shard::none : division.shard;
    const auto parameters = static_cast<double>(model.total_parameters());
    weight_bytes_ = parameters * (w_.bf16 ? 2.0 : 4.0);
    gradient_bytes_ = parameters * (w_.bf16_reduction ? 2.0 : 4.0);
    const auto embedding = static_cast<double>(model.vocab_size * model.hidden) * (model.tied ? 1.0 : 2.0);
    layer_weight_bytes_ = (parameters - embedding) * (w_.bf16 ? 2.0 : 4.0);
    units_ = static_cast<double>(model.layers) + 2.0;
  }

  StepPlan run() {
    const auto sequences = w_.prompts * w_.group;
    plan_.tokens = static_cast<double>(sequences) * w_.mean();
    plan_.idle_ranks = std::max<int64_t>(0, ranks_ - w_.prompts);
    remember_memory();
    roll_out();
    exchange();
    score();
    for (int64_t i = 0; i < w_.updates; ++i) update();
    sort_causes();
    return plan_;
  }

 private:
  bool divides(Shard what) const { return shard_ >= what; }
  double part(Shard what) const { return divides(what) ? 1.0 / static_cast<double>(ranks_) : 1.0; }
  double value_scale() const { return static_cast<double>(hw_.device.value_bytes) / kCostsValueBytes; }
  double train_flops() const { return hw_.device.flops * hw_.device.train_efficiency; }
  double bandwidth() const { return hw_.device.bandwidth * hw_.device.bandwidth_efficiency; }
  double sequence_tokens() const { return static_cast<double>(w_.prompt_tokens) + w_.mean(); }
  void add(const char* cause, double seconds) { causes_[cause] += seconds; }

  void remember_memory() {
    auto& m = plan_.memory;
    const auto rank = rank_memory(model_, rank_plan(micro_batches(own_tokens(update_sequences()))));
    m.weights = static_cast<double>(rank.weights);
    m.gradients = static_cast<double>(rank.gradients);
    m.optimizer = static_cast<double>(rank.optimizer);
    if (w_.reference) m.reference = m.weights;
    m.training_weights = static_cast<double>(rank.gathered);
    m.rollout_weights = plan_.division.whole_rollout ? static_cast<double>(rank.gathered_whole) : m.training_weights;
    const auto longest = static_cast<double>(w_.prompt_tokens + w_.new_tokens);
    const double sequences = ceil_share(w_.prompts * w_.group, ranks_);
    const double tokens = std::max(longest, std::min(static_cast<double>(w_.micro_batch_tokens), sequences * longest));
    const auto activations = activation_bytes(model_, static_cast<int64_t>(tokens), w_.recompute, w_.head_chunk_bytes);
    m.activations = static_cast<double>(activations.total()) * value_scale();
    m.kv_cache = kv_tokens() * kv_token_bytes();
    plan_.fits = m.total() <= hw_.device.memory - hw_.device.reserved;
  }

  RankPlan rank_plan(double batches) const {
    return {static_cast<int>(ranks_), shard_, w_.bf16 ? 2 : 4, w_.bf16_reduction ? 2 : 4,
            static_cast<int64_t>(batches)};
  }

  double kv_token_bytes() const { return static_cast<double>(kv_bytes_per_token(model_)) * value_scale(); }
  // As the engine chooses it (engine_options() in workspace.h), for this device's memory.
  double kv_tokens() const {
    if (w_.kv_tokens > 0) return static_cast<double>(w_.kv_tokens);
    const int64_t each = w_.prompt_tokens + w_.new_tokens + ops::kPageTokens;
    return static_cast<double>(kv_tokens_wanted(static_cast<int64_t>(requests()), w_.max_rows, each,
                                                static_cast<int64_t>(hw_.device.memory / 4.0),
                                                static_cast<int64_t>(kv_token_bytes())));
  }
  // Completions of the rank that has most.
  double requests() const { return ceil_share(w_.prompts, ranks_) * static_cast<double>(w_.group); }

  // Seconds of gathering all weights, beyond a pass that takes `meanwhile`.
  double gather_beyond(double bytes, double meanwhile) const {
    const double whole = units_ * collectives_.all_gather(bytes / units_);
    return std::max(whole / units_, whole - meanwhile);
  }
  // The same of reducing gradients; the last unit to be computed is waited for in any case.
  double reduce_beyond(double seconds, double meanwhile) const {
    return std::max(seconds / units_, seconds - meanwhile);
  }

  void roll_out() {
    if (divides(Shard::parameters) && plan_.division.whole_rollout) {
      plan_.times.gather = units_ * collectives_.all_gather(weight_bytes_ / units_);
      plan_.wire_bytes += pass_wire_bytes(model_, rank_plan(1));
      add("gathering weights for the rollout", plan_.times.gather);
    }
    const auto prompt = static_cast<double>(w_.prompt_tokens);
    plan_.times.prefill =
        ceil_share(w_.prompts, ranks_) * prompt * training_flops_per_token(model_, prompt, false) / 3.0 / train_flops();
    add("arithmetic of prompts", plan_.times.prefill);
    decode();
  }

  void decode() {
    const Lengths lengths(w_);
    const auto prompt = static_cast<double>(w_.prompt_tokens);
    const double requests_here = requests();
    const double mean_context = prompt + 0.5 * w_.mean();
    const double rows = std::max(
        1.0,
        std::floor(std::min({requests_here, static_cast<double>(w_.max_rows), kv_tokens() / (prompt + w_.mean())})));
    plan_.rows = static_cast<int64_t>(rows);
    // While completions wait, as many as fit are decoded; then the last ones run out.
    if (requests_here > rows) add_steps((requests_here - rows) * w_.mean() / rows, rows, mean_context);
    const double slice = lengths.limit() / kSlices;
    for (int i = 0; i < kSlices; ++i) {
      const double at = (i + 0.5) * slice, longer = lengths.longer_than(at);
      const double anyone = -std::expm1(rows * std::log1p(-std::min(longer, 1.0 - 1e-16)));
      add_steps(anyone * slice, std::max(1.0, rows * longer), prompt + at);
    }
  }

  // So many decoding steps alike.
  void add_steps(double steps, double rows, double context) {
    const auto step = decode_step(hw_, model_, w_, rows, context);
    add("reading weights in decoding", steps * step.weights);
    add("reading keys and values in decoding", steps * step.keys_and_values);
    add("arithmetic of decoding", steps * step.arithmetic);
    add("sampling", steps * step.sampling);
    add("launches in decoding", steps * step.overhead);
    double seconds = step.total();
    if (divides(Shard::parameters) && !plan_.division.whole_rollout) {
      // Embedding and head stay for the whole rollout.
      const double beyond = gather_beyond(layer_weight_bytes_, step.total());
      seconds += beyond;
      plan_.wire_bytes += steps * decoding_wire_bytes(model_, rank_plan(1));
      add("gathering weights in decoding", steps * beyond);
    }
    plan_.times.decode += steps * seconds;
  }

  void exchange() {
    const double bytes = plan_.tokens * kExchangedTokenBytes;
    plan_.times.exchange = collectives_.all_gather(bytes);
    plan_.wire_bytes += collectives_.all_gather_wire(bytes);
    add("exchange of completions", plan_.times.exchange);
  }

  // Tokens of the rank that has most of so many sequences.
  double own_tokens(int64_t sequences) const { return ceil_share(sequences, ranks_) * sequence_tokens(); }
  double micro_batches(double tokens) const {
    return std::max(1.0, std::ceil(tokens / static_cast<double>(w_.micro_batch_tokens)));
  }
  double pass_overhead(double passes) const {
    return passes * static_cast<double>(model_.layers) * hw_.device.layer_overhead;
  }

  void score() {
    const int passes = (w_.old_logprobs ? 1 : 0) + (w_.reference ? 1 : 0);
    const double tokens = own_tokens(w_.prompts * w_.group), batches = micro_batches(tokens);
    const double once = tokens * training_flops_per_token(model_, sequence_tokens(), false) / 3.0 / train_flops() +
                        pass_overhead(batches);
    plan_.times.score = passes * once;
    add("arithmetic of logprobs", plan_.times.score);
    // The weights of the policy are still whole; those of the reference are not.
    const bool policy = w_.old_logprobs && !plan_.division.whole_rollout;
    const int gathers = divides(Shard::parameters) ? (policy ? 1 : 0) + (w_.reference ? 1 : 0) : 0;
    const double beyond = gathers * batches * gather_beyond(weight_bytes_, once / batches);
    plan_.times.score += beyond;
    plan_.wire_bytes += gathers * batches * pass_wire_bytes(model_, rank_plan(1));
    add("gathering weights for logprobs", beyond);
  }

  int64_t update_sequences() const { return (w_.prompts * w_.group + w_.updates - 1) / w_.updates; }

  void update() {
    const double tokens = own_tokens(update_sequences()), batches = micro_batches(tokens);
    plan_.micro_batches = static_cast<int64_t>(batches);
    const double flops = tokens * training_flops_per_token(model_, sequence_tokens(), w_.recompute);
    const double forward = flops / (w_.recompute ? 4.0 : 3.0) / train_flops() + pass_overhead(batches);
    const double backward =
        flops / train_flops() - flops / (w_.recompute ? 4.0 : 3.0) / train_flops() + pass_overhead(batches);
    plan_.times.forward += forward;
    plan_.times.backward += backward;
    add("arithmetic of training", forward + backward);
    reduce(batches, forward / batches, backward / batches);
    // Reads gradient, master, both moments; writes master, moments and, rounded, weights.
    const double touched = 28.0 + (w_.bf16 ? 2.0 : 0.0);
    const double seconds =
        static_cast<double>(model_.total_parameters()) * part(Shard::optimizer) * touched / bandwidth();
    plan_.times.optimizer += seconds;
    add("memory traffic of the optimizer", seconds);
  }

  // `forward`, `backward`: seconds of one micro-batch.
  void reduce(double batches, double forward, double backward) {
    if (ranks_ == 1) return;
    const auto each = [&](double bytes) { return units_ * collectives_.all_gather(bytes / units_); };
    double beyond = 0;
    switch (shard_) {
      case Shard::none:
        beyond = reduce_beyond(units_ * collectives_.all_reduce(gradient_bytes_ / units_), backward);
        break;
      case Shard::optimizer:
        beyond = reduce_beyond(each(gradient_bytes_), backward) + each(weight_bytes_);
        break;
      case Shard::gradients:
        beyond = batches * reduce_beyond(each(gradient_bytes_), backward) + each(weight_bytes_);
        break;
      case Shard::parameters:
        beyond = batches * (gather_beyond(weight_bytes_, forward) +
                            reduce_beyond(each(gradient_bytes_) + each(layer_weight_bytes_), backward));
        break;
    }
    plan_.wire_bytes += update_wire_bytes(model_, rank_plan(batches));
    plan_.times.reduce += beyond;
    add("gradients and weights between the ranks", beyond);
  }

  void sort_causes() {
    for (const auto& [name, seconds] : causes_) {
      if (seconds > 0) plan_.causes.emplace_back(name, seconds);
    }
    std::sort(plan_.causes.begin(), plan_.causes.end(),
              [](const auto& a, const auto& b) { return a.second > b.second; });
  }

  const PlanHardware& hw_;
  const ModelConfig& model_;
  const PlanWorkload& w_;
  int64_t ranks_;
  PlanCollectives collectives_;
  Shard shard_ = Shard::none;
  double weight_bytes_ = 0, gradient_bytes_ = 0;  // of the whole model, as they travel
  double layer_weight_bytes_ = 0;                 // of the decoder layers
  double units_ = 0;                              // that travel one by one
  std::map<std::string, double> causes_;
  StepPlan plan_;
};

}  // namespace

std::string describe(const PlanDivision& division) {
  switch (division.shard) {
    case Shard::none:
      return "none";
    case Shard::optimizer:
      return "optimizer";
    case Shard::gradients:
      return "gradients";
    case Shard::parameters:
      return division.whole_rollout ? "parameters, whole" : "parameters, layers";
  }
  return "";
}

std::vector<PlanDivision> all_divisions() {
  return {{Shard::none, true},
          {Shard::optimizer, true},
          {Shard::gradients, true},
          {Shard::parameters, true},
          {Shard::parameters, false}};
}

DecodeStep decode_step(const PlanHardware& hardware, const ModelConfig& c, const PlanWorkload& w, double rows,
                       double context) {
  const auto& device = hardware.device;
  const double flops = device.flops * device.decode_efficiency;
  const double bandwidth = device.bandwidth * device.bandwidth_efficiency;
  const auto parameters = static_cast<double>(c.matmul_parameters());
  const double value_scale = static_cast<double>(device.value_bytes) / kCostsValueBytes;
  DecodeStep step;
  const auto take = [&](double& reading, double read_seconds, double arithmetic_seconds) {
    (read_seconds >= arithmetic_seconds ? reading : step.arithmetic) += std::max(read_seconds, arithmetic_seconds);
  };
  take(step.weights, parameters * (w.bf16 ? 2.0 : 4.0) / bandwidth, 2.0 * parameters * rows / flops);
  take(step.keys_and_values, rows * context * static_cast<double>(kv_bytes_per_token(c)) * value_scale / bandwidth,
       4.0 * static_cast<double>(c.layers * c.heads * c.head_dim) * context * rows / flops);
  step.sampling = kSampledLogitReads * rows * static_cast<double>(c.vocab_size) * 4.0 / bandwidth;
  step.overhead = static_cast<double>(c.layers) * device.layer_overhead;
  return step;
}

StepPlan plan_step(const PlanHardware& hardware, const ModelConfig& model, const PlanWorkload& workload,
                   const PlanDivision& division) {
  return Planner(hardware, model, workload, division).run();
}

}  // namespace laconic::trainers

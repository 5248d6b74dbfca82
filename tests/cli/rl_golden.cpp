#include "tests/cli/rl_golden.h"

#include <map>
#include <string_view>
#include <utility>

namespace laconic::cli {
namespace {

const Json kSupplied = {{"kind", "supplied"}};

Json objective(const Json& fields) {
  Json json = {{"name", "grpo"}, {"advantage", kSupplied}};
  for (const auto& [key, value] : fields.items()) json[key] = value;
  return json;
}

Json step(const Json& objective_fields, const Json& completions) {
  return {{"objective", objective(objective_fields)}, {"groups", {{{"completions", completions}}}}};
}

Json rows_of(const Json& values) {
  return !values.empty() && values[0].is_array() ? values : Json::array({values});
}

// `logp - logp_old` of one token and its advantage.
Json token(double logp, double logp_old, const Json& advantage) {
  return {{"reward", advantage}, {"logp", {logp}}, {"logp_old", {logp_old}}};
}

Json loss_of(const std::vector<Json>& outputs) {
  return outputs[0]["loss"];
}

Json losses_of(const std::vector<Json>& outputs) {
  Json list = Json::array();
  for (const auto& output : outputs) list.push_back(output["loss"]);
  return list;
}

Plan skip(std::string why) {
  return {std::move(why), {}, {}};
}

// An aggregation of given token terms: -A logp with A = 1 is the term where logp is its negative.
Json term_step(const Json& values, const Json& mask, const Json& loss) {
  Json completions = Json::array();
  const Json rows = rows_of(values), masks = rows_of(mask);
  for (size_t i = 0; i < rows.size(); ++i) {
    Json logp = Json::array();
    for (const auto& value : rows[i]) logp.push_back(-value.get<double>());
    completions.push_back({{"reward", 1}, {"logp", logp}, {"logp_old", logp}, {"mask", masks[i]}});
  }
  Json fields = loss;
  fields["kind"] = "reinforce";
  return step({{"loss", fields}}, completions);
}

Json aggregation(const char* name) {
  return {{"aggregation", name}};
}

// Means over a mask: of all tokens, or of the rows' own means (`by_row` lists those).
Plan masked_mean(const Json& values, const Json& mask, bool mean_of_rows, bool by_row) {
  Plan plan;
  if (by_row) {
    const Json rows = rows_of(values), masks = rows_of(mask);
    for (size_t i = 0; i < rows.size(); ++i)
      plan.steps.push_back(term_step(rows[i], masks[i], aggregation("token_mean")));
    plan.read = losses_of;
    return plan;
  }
  plan.steps = {term_step(values, mask, aggregation(mean_of_rows ? "seq_mean_token_mean" : "token_mean"))};
  plan.read = loss_of;
  return plan;
}

Plan open_instruct_masked_mean(const Call& call) {
  const bool mean_of_rows = !call.kwargs["axis"].is_null();
  const Json& values = call.args[0];
  if (!values[0][0].is_array()) return masked_mean(values, call.args[1], mean_of_rows, false);
  Plan plan;  // several tensors stacked under one mask
  for (const auto& one : values) plan.steps.push_back(masked_mean(one, call.args[1], mean_of_rows, false).steps[0]);
  const std::string path = call.result_path;  // "", or "[k].item()"
  plan.read = [path](const std::vector<Json>& outputs) {
    return path.empty() ? losses_of(outputs) : losses_of(outputs)[std::stoul(path.substr(1))];
  };
  return plan;
}

Plan tunix_masked_mean(const Call& call) {
  return masked_mean(call.args[0], call.args[1], false, !call.args[2].is_null());
}

Plan torchtune_masked_mean(const Call& call) {
  return masked_mean(call.args[0], call.args[1], false, call.kwargs.contains("dim"));
}

Json unmasked(const Json& values, const Json& mask) {
  Json kept = Json::array();
  const Json rows = rows_of(values), masks = rows_of(mask);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t t = 0; t < rows[i].size(); ++t) {
      if (masks[i][t] == true || masks[i][t] == 1) kept.push_back(rows[i][t]);
    }
  }
  return kept;
}

Json reward_step(const Json& advantage, const std::vector<Json>& groups) {
  Json list = Json::array();
  for (const auto& rewards : groups) {
    Json completions = Json::array();
    for (const auto& reward : rewards) completions.push_back({{"reward", reward}, {"length", 1}});
    list.push_back({{"completions", completions}});
  }
  return {{"objective", objective({{"advantage", advantage}})}, {"groups", list}};
}

// The variance behind group_std: advantage = (reward - mean) / std.
Plan masked_var(const Call& call) {
  const Json rewards = unmasked(call.args[0], call.kwargs["mask"]);
  Plan plan;
  plan.steps = {reward_step({{"kind", "group_std"}, {"epsilon", 1e-12}}, {rewards})};
  plan.read = [rewards](const std::vector<Json>& outputs) {
    double mean = 0;
    for (const auto& reward : rewards) mean += reward.get<double>() / static_cast<double>(rewards.size());
    const double deviation = (rewards[0].get<double>() - mean) / outputs[0]["advantages"][0][0].get<double>();
    return Json(deviation * deviation);
  };
  return plan;
}

Plan group_advantages(const Call& call, const char* kind) {
  const bool nested = call.args[0][0].is_array();
  const Json& rewards = nested ? call.args[0][0] : call.args[0];
  const size_t size = call.kwargs["num_generations"];
  std::vector<Json> groups;
  for (size_t i = 0; i < rewards.size(); ++i) {
    if (i % size == 0) groups.push_back(Json::array());
    groups.back().push_back(rewards[i]);
  }
  Plan plan;
  plan.steps = {reward_step({{"kind", kind}}, groups)};
  plan.read = [nested](const std::vector<Json>& outputs) {
    Json flat = Json::array();
    for (const auto& group : outputs[0]["advantages"]) flat.insert(flat.end(), group.begin(), group.end());
    return nested ? Json::array({flat}) : flat;
  };
  return plan;
}

Plan tunix_aggregate_loss(const Call& call) {
  const Json& args = call.constructor_args;
  const std::string mode = args.size() > 2 ? args[2] : call.constructor_kwargs["loss_agg_mode"];
  const Json rows = rows_of(args[0]);
  const auto norm = [&](double fallback) { return call.constructor_kwargs.value("norm", fallback); };
  const auto sequences = static_cast<double>(rows.size());
  Json loss;
  if (mode == "token-mean") loss = aggregation("token_mean");
  if (mode == "sequence-mean-token-mean") loss = aggregation("seq_mean_token_mean");
  if (mode == "seq-mean-token-sum") loss = aggregation("seq_sum");
  // Both divide by a constant; ours is per sequence.
  if (mode == "sequence-mean-token-scale")
    loss = {{"aggregation", "constant_norm"}, {"constant_norm_tokens", norm(static_cast<double>(rows[0].size()))}};
  if (mode == "sequence-mean-token-sum-norm")
    loss = {{"aggregation", "constant_norm"}, {"constant_norm_tokens", norm(sequences) / sequences}};
  Plan plan;
  plan.steps = {term_step(args[0], args[1], loss)};
  plan.read = loss_of;
  return plan;
}

// Sums and counts of micro-batches: one sequence each, its tokens all alike.
Plan global_weighted_mean(const Call& call) {
  Json values = Json::array(), masks = Json::array();
  for (const auto& metric : call.args[0]) {
    const auto count = static_cast<size_t>(metric["args"][1].get<double>());
    values.push_back(Json(std::vector<double>(
        std::max<size_t>(count, 1), count > 0 ? metric["args"][0].get<double>() / static_cast<double>(count) : 0)));
    masks.push_back(Json(std::vector<int>(std::max<size_t>(count, 1), count > 0 ? 1 : 0)));
  }
  return masked_mean(values, masks, false, false);
}

// Mean of a log ratio, which is the k1 estimate.
Plan mean_log_ratio(const Json& logp, const Json& reference, const Json& mask) {
  Json completions = Json::array();
  for (size_t i = 0; i < logp.size(); ++i)
    completions.push_back({{"reward", 0}, {"logp", logp[i]}, {"logp_ref", reference[i]}, {"mask", mask[i]}});
  Plan plan;
  plan.steps = {step({{"kl", {{"coefficient", 1}, {"estimator", "k1"}}}}, completions)};
  plan.read = [](const std::vector<Json>& outputs) { return outputs[0]["metrics"]["kl"]; };
  return plan;
}

Plan openrlhf_policy_loss(const Call& call) {
  const Json& mask = call.kwargs["action_mask"];
  if (call.result_path == "[2]") return mean_log_ratio(call.args[1], call.args[0], mask);  // old against new
  return mean_log_ratio(call.kwargs["rollout_log_probs"], call.args[1], mask);             // sampler against old
}

// The negative log-likelihood of the masked tokens, as -A logp.
Plan cross_entropy(const Call& call) {
  const Json& weights = call.kwargs["ce_weights"];
  Json completions = Json::array();
  for (size_t i = 0; i < weights.size(); ++i) {
    completions.push_back({{"reward", weights[i][0]},
                           {"logp", call.kwargs["trainer_logprobs"][i]},
                           {"logp_old", call.kwargs["trainer_logprobs"][i]},
                           {"mask", call.kwargs["loss_mask"][i]}});
  }
  const double scale = call.kwargs["ce_scale"];
  Plan plan;
  plan.steps = {
      step({{"loss", {{"kind", "reinforce"}, {"aggregation", "constant_norm"}, {"constant_norm_tokens", scale}}}},
           completions)};
  plan.read = loss_of;
  return plan;
}

Plan token_losses(const Json& loss, const std::vector<Json>& tokens) {
  Plan plan;
  for (const auto& one : tokens) plan.steps.push_back(step({{"loss", loss}}, Json::array({one})));
  plan.read = losses_of;
  return plan;
}

Plan slime_policy_loss(const Call& call) {
  std::vector<Json> tokens;
  for (size_t i = 0; i < call.args[0].size(); ++i)
    tokens.push_back(token(-call.args[0][i].get<double>(), 0.0, call.args[1][i]));
  return token_losses({{"clip_low", call.kwargs["eps_clip"]},
                       {"clip_high", call.kwargs["eps_clip_high"]},
                       {"dual_clip", call.kwargs["eps_clip_c"]}},
                      tokens);
}

Plan slime_cispo_loss(const Call& call) {
  if (call.result_path == "[1]") return skip("laconic's cispo has no share of clipped tokens among its metrics");
  std::vector<Json> tokens;
  for (size_t i = 0; i < call.args[0].size(); ++i) {
    const double logp = call.args[1][i];
    tokens.push_back(token(logp, logp + call.args[0][i].get<double>(), call.args[2][i]));
  }
  return token_losses({{"kind", "cispo"}, {"cispo_cap", 1.0 + call.args[4].get<double>()}}, tokens);
}

Plan torchforge_grpo_loss(const Call& call) {
  Json completions = Json::array();
  for (size_t i = 0; i < call.args[0].size(); ++i)
    completions.push_back({{"reward", call.args[2][i][0]},
                           {"logp", call.args[0][i]},
                           {"logp_ref", call.args[1][i]},
                           {"mask", call.args[3][i]}});
  Plan plan;
  plan.steps = {step({{"kl", {{"coefficient", call.constructor_kwargs["beta"]}}}}, completions)};
  plan.read = loss_of;
  return plan;
}

// KL in the reward, token by token: each token is a completion, and the last one of a row has the score.
Plan torchtune_rewards(const Call& call) {
  const bool divergence = call.result_path == "[1]", total = call.result_path == "[0]";
  const double coefficient = call.args[3];
  Plan plan;
  for (size_t i = 0; i < call.args[1].size(); ++i) {
    for (size_t t = 0; t < call.args[1][i].size(); ++t) {
      const bool last = t + 1 == call.args[1][i].size();
      const Json logp = {call.args[1][i][t]}, reference = {call.args[2][i][t]};
      const Json completion = {{"reward", total && last ? call.args[0][i] : Json(0)},
                               {"logp", logp},
                               {"logp_old", logp},
                               {"logp_ref", reference}};
      plan.steps.push_back(step({{"kl",
                                  {{"coefficient", divergence ? 1.0 : coefficient},
                                   {"estimator", "k1"},
                                   {"place", divergence ? "loss" : "reward"}}}},
                                Json::array({completion})));
    }
  }
  const size_t columns = call.args[1][0].size();
  plan.read = [divergence, columns](const std::vector<Json>& outputs) {
    Json rows = Json::array();
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (i % columns == 0) rows.push_back(Json::array());
      rows.back().push_back(divergence ? outputs[i]["metrics"]["kl"] : outputs[i]["rewards"][0][0]);
    }
    return rows;
  };
  return plan;
}

Plan torchtune_ppo_loss(const Call& call) {
  if (call.result_path.starts_with("[2]")) return skip("a value function's loss: laconic has no critic");
  Json completions = Json::array();
  for (size_t i = 0; i < call.args[0].size(); ++i)
    completions.push_back(token(call.args[1][i], call.args[0][i], call.args[2][i]));
  const Json epsilon = call.constructor_kwargs["epsilon"];
  const bool ratio = call.result_path == "[3]";
  Plan plan;
  plan.steps = {step({{"loss", {{"clip_low", epsilon}, {"clip_high", epsilon}}}}, completions)};
  plan.read = [ratio](const std::vector<Json>& outputs) {
    return ratio ? outputs[0]["metrics"]["ratio_mean"] : outputs[0]["loss"];
  };
  return plan;
}

// Whitening over the unmasked tokens is group_std over their rewards.
Plan whitened(const Call& call) {
  const Json& rewards = call.kwargs["data"]["kwargs"]["tensors"]["token_level_rewards"];
  const Json& mask = call.kwargs["response_mask"];
  const Json kept = unmasked(rewards, mask);
  if (kept.size() < 2)
    return skip("rewards per token, of which fewer than two count; laconic has one reward per completion");
  Plan plan;
  plan.steps = {reward_step({{"kind", "group_std"}, {"epsilon", 1e-8}}, {kept})};
  const size_t columns = mask[0].size();
  plan.read = [columns](const std::vector<Json>& outputs) {
    Json row = outputs[0]["advantages"][0];
    while (row.size() < columns) row.push_back(0.0);
    return Json::array({row});
  };
  return plan;
}

using Planner = std::function<Plan(const Call&)>;

const std::map<std::string, Planner>& planners() {
  static const std::map<std::string, Planner> all = {
      {"rl_utils.masked_mean", open_instruct_masked_mean},
      {"rlhf.masked_mean", torchtune_masked_mean},
      {"algo_core.masked_mean", tunix_masked_mean},
      {"algo_core.masked_var", masked_var},
      {"algo_core.compute_rloo_advantages", [](const Call& call) { return group_advantages(call, "leave_one_out"); }},
      {"algo_core.compute_drgrpo_advantages", [](const Call& call) { return group_advantages(call, "center"); }},
      {"common.aggregate_loss.compute", tunix_aggregate_loss},
      {"common.global_weighted_mean", global_weighted_mean},
      {"aggregate_loss",
       [](const Call& call) {
         return masked_mean(call.args[0], call.args[1], !call.kwargs["token_level_loss"].get<bool>(), false);
       }},
      {"PolicyLoss", openrlhf_policy_loss},
      {"compute_loss", cross_entropy},
      {"compute_policy_loss", slime_policy_loss},
      {"compute_cispo_loss", slime_cispo_loss},
      {"SimpleGRPOLoss", torchforge_grpo_loss},
      {"rlhf.get_rewards_ppo", torchtune_rewards},
      {"PPOLoss", torchtune_ppo_loss},
      {"compute_advantage", whitened},
      {"agentic_compute_advantage", whitened},
  };
  return all;
}

const std::map<std::string, std::string>& not_in_laconic() {
  static const std::map<std::string, std::string> all = {
      {"compute_sdar_loss", "a distillation loss that laconic does not have"},
      {"rl_utils.pack_sequences", "padding and packing of token ids, no objective"},
      {"olmo_core_utils.doc_lens_from_attention_mask", "packing of token ids, no objective"},
      {"olmo_core_utils.doc_lens_from_attention_mask[0].sum", "packing of token ids, no objective"},
      {"dpo_utils.dpo_loss", "preference optimization: laconic has none"},
      {"dpo_utils._get_batch_logps", "preference optimization: laconic has none"},
      {"DPOLoss", "preference optimization: laconic has none"},
      {"RSOLoss", "preference optimization: laconic has none"},
      {"rlhf.estimate_advantages", "generalised advantages of a value function: laconic has no critic"},
      {"common.compute_per_token_logps", "a toy model with random weights of another framework"},
      {"common.np_make_completion_mask", "padding of token ids, no objective"},
      {"common.make_completion_mask", "padding of token ids, no objective"},
      {"common.pad_to_length", "padding of token ids, no objective"},
      {"utils.compute_pack_size", "sharding of batches, no objective"},
      {"common.compute_kl_divergence",
       "bounds of a clamp on the estimate itself; laconic bounds the log ratio at 20 instead, and has no such option"},
  };
  return all;
}

bool has_masked_row(const Json& mask) {
  for (const auto& row : mask) {
    bool any = false;
    for (const auto& value : row) any = any || value != 0;
    if (!any) return true;
  }
  return false;
}

bool has_unmasked_row(const Json& mask) {
  Json inverse = Json::array();
  for (const auto& row : mask) {
    Json flipped = Json::array();
    for (const auto& value : row) flipped.push_back(value == 0 ? 1 : 0);
    inverse.push_back(flipped);
  }
  return has_masked_row(inverse);
}

}  // namespace

Call Call::of_case(const Json& published) {
  const Json& inputs = published["inputs"];
  Call call;
  call.function = published["function"];
  call.args = inputs.value("args", Json::array());
  call.kwargs = inputs.value("kwargs", Json::object());
  if (inputs.contains("constructor")) {
    call.constructor_args = inputs["constructor"]["args"];
    call.constructor_kwargs = inputs["constructor"]["kwargs"];
  }
  call.result_path = published.value("result_path", "");
  return call;
}

Call Call::of_expected(const Json& expected) {
  const Json published = {
      {"function", expected["call"]}, {"inputs", expected}, {"result_path", expected.value("result_path", "")}};
  return of_case(published);
}

Plan plan_of(const Call& call) {
  if (const auto found = planners().find(call.function); found != planners().end()) return found->second(call);
  if (const auto found = not_in_laconic().find(call.function); found != not_in_laconic().end())
    return skip(found->second);
  return skip("unknown function " + call.function);
}

std::string known_difference(const Json& published) {
  const Call call = Call::of_case(published);
  const char* kMaskedRows =
      "a completion without loss tokens counts in the number of sequences (as in verl and open-instruct), there it "
      "does not";
  if (call.function == "aggregate_loss" && has_masked_row(call.args[1])) return kMaskedRows;
  if (call.function == "common.aggregate_loss.compute" && call.constructor_args.size() > 2 &&
      call.constructor_args[2] == "seq-mean-token-sum" && has_masked_row(call.constructor_args[1]) &&
      has_unmasked_row(call.constructor_args[1]))
    return kMaskedRows;
  if (call.function == "PolicyLoss" && call.args[0][0][0] == 100.0)
    return "log ratios are bounded at 20, so that exp stays finite; there this metric is not";
  if (call.function == "compute_cispo_loss" && call.result_path == "[0]" && call.args[3].get<double>() < 1.0)
    return "the weight is capped from above alone, as the paper has it; there from below as well";
  return "";
}

}  // namespace laconic::cli

// The `objective` section of a configuration: one vocabulary for all methods.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

enum class AdvantageKind { group_std, center, leave_one_out, batch_std, supplied };
enum class StdKind { unbiased, population };
enum class RewardCombine { sum_then_normalize, normalize_then_sum };
enum class LossKind { clipped, cispo, sapo, vespo, reinforce };
enum class RatioKind { token, sequence_mean, sequence_product };
enum class Aggregation { seq_mean_token_mean, token_mean, group_token_mean, constant_norm, seq_sum };
enum class KlEstimator { k1, k2, k3, k1_straight_through, k3_straight_through };
enum class KlPlace { loss, reward };
enum class MismatchMode { none, truncate, mask, bypass };
enum class MismatchLevel { token, sequence, sequence_mean };
enum class KeepRule { all, mixed_correct, reward_variance, all_correct, any_exit_correct };
enum class WhenExhausted { train, error };

struct AdvantageConfig {
  AdvantageKind kind = AdvantageKind::group_std;
  StdKind std = StdKind::unbiased;
  double epsilon = 1e-6;
  void visit(config::Visitor& v);
};

struct LossConfig {
  LossKind kind = LossKind::clipped;
  RatioKind ratio = RatioKind::token;
  double clip_low = 0.2;
  double clip_high = 0.2;
  std::optional<double> ratio_cap;
  std::optional<double> dual_clip;
  double cispo_cap = 5.0;
  double sapo_temperature_positive = 1.0;
  double sapo_temperature_negative = 1.05;
  double vespo_power_positive = 2.0;  // k for A >= 0
  double vespo_rate_positive = 3.0;   // the exponential rate for A >= 0
  double vespo_power_negative = 3.0;
  double vespo_rate_negative = 2.0;
  Aggregation aggregation = Aggregation::seq_mean_token_mean;
  std::optional<double> constant_norm_tokens;
  double entropy_quantile = 1.0;
  std::optional<double> off_policy_mask;
  bool mask_truncated = false;
  void visit(config::Visitor& v);
};

struct KlConfig {
  double coefficient = 0.0;
  KlEstimator estimator = KlEstimator::k3;
  KlPlace place = KlPlace::loss;
  bool weight_by_ratio = false;
  void visit(config::Visitor& v);
};

struct MismatchConfig {
  MismatchMode mode = MismatchMode::none;
  MismatchLevel level = MismatchLevel::token;
  double max = 2.0;
  std::optional<double> min;
  void visit(config::Visitor& v);
};

struct FilterConfig {
  KeepRule keep = KeepRule::all;
  int max_rounds = 0;
  WhenExhausted when_exhausted = WhenExhausted::train;
  void visit(config::Visitor& v);
};

struct OverlongConfig {
  int64_t buffer = 0;
  double factor = 1.0;
  void visit(config::Visitor& v);
};

struct ObjectiveConfig {
  std::string name = "grpo";
  std::string preset;  // "" = none; fills the fields below, which may be overridden
  int group_size = 8;
  int updates_per_rollout = 1;
  double temperature = 1.0;
  AdvantageConfig advantage;
  std::map<std::string, double> reward_weights;  // empty: the verdict's correctness alone, or the given reward
  RewardCombine reward_combine = RewardCombine::sum_then_normalize;
  LossConfig loss;
  KlConfig kl;
  double entropy_bonus = 0.0;
  MismatchConfig mismatch;
  FilterConfig filter;
  OverlongConfig overlong;
  void visit(config::Visitor& v);

  bool uses_reference() const { return kl.coefficient != 0.0; }
  // The loss needs entropies with a gradient.
  bool uses_entropy() const { return entropy_bonus != 0.0 || loss.entropy_quantile < 1.0; }
};

// Fills the fields of a named preset: grpo_paper, dapo, dr_grpo, gspo, rloo, cispo, luspo, trl_default, verl_default.
void apply_preset(const std::string& preset, ObjectiveConfig& config);

}  // namespace laconic::algorithms

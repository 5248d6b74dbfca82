#include "laconic/trainers/loss_outliers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "laconic/core/distributed/bytes.h"

namespace laconic::trainers {
namespace {

using algorithms::Sample;
using Json = nlohmann::ordered_json;

// Least and greatest; NaN where any value is.
struct Range {
  double least = std::numeric_limits<double>::infinity(), greatest = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (std::isnan(value) || std::isnan(least)) {
      least = greatest = std::nan("");
    } else {
      least = std::min(least, value);
      greatest = std::max(greatest, value);
    }
  }
};

const std::vector<double>* sampling_logprobs(const Sample& sample) {
  if (!sample.logp_old.empty()) return &sample.logp_old;
  return sample.logp_rollout.empty() ? nullptr : &sample.logp_rollout;
}

// `loss`, `logprob` [length]
Json entry_of(const algorithms::WeightedSample& weighted, const double* loss, const double* logprob) {
  const auto& sample = *weighted.sample;
  const auto length = static_cast<size_t>(sample.length);
  const auto* old = sampling_logprobs(sample);
  double sum = 0;
  Range logprobs, ratios, advantages;
  for (size_t t = 0; t < length; ++t) {
    sum += loss[t];
    logprobs.add(logprob[t]);
    if (old != nullptr) ratios.add(std::exp(logprob[t] - (*old)[t]));
  }
  for (const double advantage : sample.advantage) advantages.add(advantage);
  Json entry = {{"prompt_id", weighted.group->prompt_id},
                {"prompt_index", weighted.group->prompt_index},
                {"sample", &sample - weighted.group->samples.data()},
                {"loss", sum},
                {"advantage_min", advantages.least},
                {"advantage_max", advantages.greatest},
                {"tokens", sample.length},
                {"truncated", sample.truncated},
                {"reward", sample.reward},
                {"logprob_min", logprobs.least},
                {"ratio_min", nullptr},
                {"ratio_max", nullptr}};
  if (old != nullptr) {
    entry["ratio_min"] = ratios.least;
    entry["ratio_max"] = ratios.greatest;
  }
  return entry;
}

void add_entries(const algorithms::MiniBatch& mini_batch, const UpdateReport::Pass& pass, std::vector<Json>& entries) {
  const auto loss = pass.token_loss.to(at::kCPU, at::kDouble).contiguous();
  const auto logprob = pass.logprob.to(at::kCPU, at::kDouble).contiguous();
  int64_t at = 0;
  for (const int64_t index : pass.samples) {
    const auto& weighted = mini_batch.samples[static_cast<size_t>(index)];
    if (weighted.sample->length > 0)
      entries.push_back(entry_of(weighted, loss.const_data_ptr<double>() + at, logprob.const_data_ptr<double>() + at));
    at += weighted.sample->length;
  }
}

void keep_largest(std::vector<Json>& entries, size_t count) {
  const auto size = [](const Json& entry) {
    const double loss = entry.at("loss").get<double>();
    return std::isfinite(loss) ? std::abs(loss) : std::numeric_limits<double>::infinity();
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const Json& a, const Json& b) { return size(a) > size(b); });
  if (entries.size() > count) entries.resize(count);
}

std::string range_text(const Json& least, const Json& greatest) {
  if (least.is_null()) return "unknown";
  const double low = least.get<double>(), high = greatest.get<double>();
  return low == high || std::isnan(low) ? fmt::format("{:.3g}", low) : fmt::format("{:.3g} to {:.3g}", low, high);
}

}  // namespace

std::string Unusual::text() const {
  if (!std::isfinite(value)) return fmt::format("the {} is not finite", what);
  return fmt::format("the {} {:.4g} is unusual: {:.1f} deviations {} the median of the updates before, {:.4g}", what,
                     value, std::abs(score), score > 0 ? "above" : "below", median);
}

Json Unusual::record(Json where, const std::vector<Json>& samples) const {
  where["what"] = what;
  where["value"] = value;
  where["score"] = score;
  where["median"] = median;
  where["samples"] = samples;
  return where;
}

std::string Unusual::warning(const std::string& where, const std::vector<Json>& samples,
                             const std::function<std::string(const Json&)>& describe) const {
  std::string lines = fmt::format("{}: {}; the largest parts of its loss:", where, text());
  for (const auto& sample : samples) lines += "\n  " + describe(sample);
  return lines;
}

std::vector<Unusual> LossOutliers::look_at(const UpdateReport& report) {
  return look_at(report.loss.policy_loss + report.loss.kl_loss, report.optimizer.grad_norm);
}

std::vector<Unusual> LossOutliers::look_at(double loss, double norm) {
  std::vector<Unusual> found;
  const double median = losses_.median(), score = losses_.score(loss);
  if (std::abs(score) >= kLimit) found.push_back({"loss", loss, score, median});
  if (!std::isfinite(loss)) return found;
  const double norm_median = norms_.median(), norm_score = norms_.score(norm);
  if (norm_score >= kLimit) found.push_back({"gradient norm", norm, norm_score, norm_median});
  return found;
}

void LossOutliers::restore(const RecentUpdates& recent) {
  losses_.restore(recent.losses);
  norms_.restore(recent.norms);
}

std::vector<Json> largest_losses(const algorithms::MiniBatch& mini_batch, const UpdateReport& report,
                                 distributed::Communicator* communicator, size_t count) {
  std::vector<Json> entries;
  for (const auto& pass : report.passes) add_entries(mini_batch, pass, entries);
  return largest_of(std::move(entries), communicator, count);
}

std::vector<Json> largest_of(std::vector<Json> entries, distributed::Communicator* communicator, size_t count) {
  keep_largest(entries, count);
  if (communicator == nullptr || communicator->alone()) return entries;
  const auto bytes = Json::to_cbor(Json(entries));
  std::vector<Json> all;
  for (const auto& theirs : distributed::all_gather_bytes(*communicator, {bytes.begin(), bytes.end()})) {
    for (auto& entry : Json::from_cbor(theirs)) all.push_back(std::move(entry));
  }
  keep_largest(all, count);
  return all;
}

std::string describe_sample(const Json& sample) {
  return fmt::format(
      "prompt {} ({}), completion {}: loss {:.4g}, advantage {}, {} tokens{}, reward {:.3g}, least logprob {:.3g}, "
      "ratio {}",
      sample.at("prompt_index").get<uint64_t>(), sample.at("prompt_id").get<std::string>(),
      sample.at("sample").get<int64_t>(), sample.at("loss").get<double>(),
      range_text(sample.at("advantage_min"), sample.at("advantage_max")), sample.at("tokens").get<int64_t>(),
      sample.at("truncated").get<bool>() ? " (truncated)" : "", sample.at("reward").get<double>(),
      sample.at("logprob_min").get<double>(), range_text(sample.at("ratio_min"), sample.at("ratio_max")));
}

}  // namespace laconic::trainers

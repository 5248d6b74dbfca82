#include "laconic/trainers/suite_results.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/metrics/jsonl.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using metrics::Interval;
using metrics::Series;

constexpr const char* kTokensSoFar = "tokens/generated_total";

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// What a final evaluation says of each problem, in the order of the problems.
struct Answers {
  std::vector<double> correct, tokens, at_once;
  std::vector<std::string> label;
};

Answers read_answers(const fs::path& folder) {
  auto rows = metrics::read_jsonl(folder / "eval.jsonl").rows;
  if (rows.empty()) fail(ErrorKind::input, "{}: the evaluation is empty", (folder / "eval.jsonl").string());
  rows.erase(rows.begin());  // the header
  std::sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) { return a.at("index") < b.at("index"); });
  Answers answers;
  for (const auto& row : rows) {
    double correct = 0, tokens = 0, at_once = 0;
    for (const auto& c : row.at("completions")) {
      correct += c.at("correct").get<bool>();
      tokens += c.at("tokens").get<double>();
      at_once += c.at("thinking_tokens") == 0;
    }
    const auto n = static_cast<double>(row.at("completions").size());
    answers.correct.push_back(correct / n);
    answers.tokens.push_back(tokens / n);
    answers.at_once.push_back(at_once / n);
    answers.label.push_back(row.at("label"));
  }
  return answers;
}

SuitePart part_of(const std::vector<Answers>& seeds, const std::optional<std::string>& label) {
  std::vector<double> correct, tokens, at_once;
  for (const auto& answers : seeds) {
    for (size_t i = 0; i < answers.label.size(); ++i) {
      if (label && answers.label[i] != *label) continue;
      correct.push_back(answers.correct[i]);
      tokens.push_back(answers.tokens[i]);
      at_once.push_back(answers.at_once[i]);
    }
  }
  return {mean_of(correct), mean_of(tokens), mean_of(at_once)};
}

void fill_final(SuiteRow& row, const std::vector<Answers>& seeds) {
  std::vector<std::vector<double>> correct, tokens;
  for (const auto& answers : seeds) {
    correct.push_back(answers.correct);
    tokens.push_back(answers.tokens);
  }
  row.seeds = static_cast<int>(seeds.size());
  row.accuracy = estimate_over(correct);
  row.tokens = estimate_over(tokens);
  row.all = part_of(seeds, std::nullopt);
  for (const auto& label : seeds.front().label) {
    if (!label.empty() && !row.parts.contains(label)) row.parts[label] = part_of(seeds, label);
  }
}

// Generated training tokens (thousands) after each step; step 0 has none.
Series tokens_by_step(const metrics::SeriesTable& table) {
  Series tokens{"", {0}, {0.0}};
  if (const Series* known = table.find(kTokensSoFar)) {
    for (size_t i = 0; i < known->steps.size(); ++i) {
      tokens.steps.push_back(known->steps[i]);
      tokens.values.push_back(known->values[i] / 1000.0);
    }
  }
  return tokens;
}

// The mean over the seeds at the steps that all of them have.
Series mean_by_step(const std::vector<const Series*>& seeds) {
  Series mean{seeds.front()->name, {}, {}};
  for (const int64_t step : seeds.front()->steps) {
    double sum = 0;
    for (const Series* series : seeds) {
      const auto found = std::find(series->steps.begin(), series->steps.end(), step);
      sum += found == series->steps.end() ? std::numeric_limits<double>::quiet_NaN()
                                          : series->values[static_cast<size_t>(found - series->steps.begin())];
    }
    if (std::isnan(sum)) continue;
    mean.steps.push_back(step);
    mean.values.push_back(sum / static_cast<double>(seeds.size()));
  }
  return mean;
}

// The same over tokens: each seed's curve, linear between its steps, at whole thousands up to the end of the seed that
// ends first.
Series mean_by_tokens(const std::vector<const Series*>& seeds, const std::vector<Series>& tokens) {
  constexpr int64_t kPoints = 20;
  double first = 0, last = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> xs;
  for (size_t s = 0; s < seeds.size(); ++s) {
    xs.emplace_back();
    for (const int64_t step : seeds[s]->steps) xs.back().push_back(value_at(tokens[s], static_cast<double>(step)));
    first = std::max(first, xs.back().front());
    last = std::min(last, xs.back().back());
  }
  Series mean{seeds.front()->name, {}, {}};
  const auto begin = static_cast<int64_t>(std::ceil(first)), end = static_cast<int64_t>(std::floor(last));
  const int64_t stride = std::max<int64_t>(1, (end - begin) / kPoints);
  for (int64_t x = begin; x <= end; x += stride) {
    double sum = 0;
    for (size_t s = 0; s < seeds.size(); ++s) {
      const auto after = std::lower_bound(xs[s].begin(), xs[s].end(), static_cast<double>(x));
      const auto i = static_cast<size_t>(after - xs[s].begin());
      const auto& values = seeds[s]->values;
      if (i == 0) {
        sum += values.front();
      } else {
        const double share = (static_cast<double>(x) - xs[s][i - 1]) / (xs[s][i] - xs[s][i - 1]);
        sum += values[i - 1] + share * (values[i] - values[i - 1]);
      }
    }
    mean.steps.push_back(x);
    mean.values.push_back(sum / static_cast<double>(seeds.size()));
  }
  return mean;
}

void fill_training(SuiteRow& row, const std::vector<fs::path>& runs) {
  std::vector<metrics::SeriesTable> tables;
  std::vector<Series> tokens;
  for (const auto& folder : runs) {
    const auto summary = Json::parse(read_file(folder / "summary.json"));
    row.training_tokens += summary.at("generated_tokens").get<double>() / static_cast<double>(runs.size());
    row.seconds += summary.at("seconds").at("rl").get<double>() / static_cast<double>(runs.size());
    tables.push_back(metrics::load_run_series(folder));
    tokens.push_back(tokens_by_step(tables.back()));
    if (const Series* monitor = tables.back().find("monitor/tokens_total"))
      row.extra_tokens += monitor->values.back() / static_cast<double>(runs.size());
  }
  for (const char* metric : {kHeldOutAccuracy, kHeldOutTokens, kRolloutAccuracy, kRolloutTokens}) {
    std::vector<const Series*> seeds;
    for (const auto& table : tables) {
      const Series* series = table.find(metric);
      if (series != nullptr && !series->steps.empty()) seeds.push_back(series);
    }
    if (seeds.size() != tables.size()) continue;
    row.curves.push_back({metric, mean_by_step(seeds), mean_by_tokens(seeds, tokens)});
  }
}

SuiteRow read_method(const SuitePlan& plan, const SuiteBase& base, const SuiteMethod& method) {
  SuiteRow row;
  row.method = method.name;
  std::vector<fs::path> runs;
  std::vector<Answers> answers;
  for (int seed = 0; seed < plan.seeds; ++seed) {
    const auto run = plan.run_folder(base, method, seed), evaluation = plan.eval_folder(base, method, seed);
    if (!fs::exists(run / "summary.json") || !fs::exists(evaluation / "summary.json")) continue;
    runs.push_back(run);
    answers.push_back(read_answers(evaluation));
  }
  if (runs.empty()) return row;
  fill_final(row, answers);
  fill_training(row, runs);
  if (method.needs_pass_rates) {
    for (const auto& rate : metrics::read_jsonl(plan.pass_rates_folder(base, method) / "eval.jsonl").rows) {
      if (!rate.contains("completions")) continue;
      for (const auto& completion : rate["completions"]) row.extra_tokens += completion.at("tokens").get<double>();
    }
  }
  return row;
}

Json interval_json(const Interval& interval) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  return {number(interval.low), number(interval.high)};
}

Json estimate_json(const SuiteEstimate& estimate) {
  return {{"mean", estimate.mean},
          {"interval_95", interval_json(estimate.both)},
          {"over_seeds_95", interval_json(estimate.seeds)},
          {"over_problems_95", interval_json(estimate.problems)}};
}

Json part_json(const SuitePart& part) {
  return {{"accuracy", part.accuracy}, {"mean_tokens", part.tokens}, {"no_thinking_share", part.no_thinking}};
}

Json row_json(const SuiteRow& row, const SuiteBaseResult& result) {
  Json json = {{"method", row.method},
               {"seeds", row.seeds},
               {"accuracy", estimate_json(row.accuracy)},
               {"mean_tokens", estimate_json(row.tokens)},
               {"ratio_to_base", row.tokens.mean / result.before.tokens.mean},
               {"no_thinking_share", row.all.no_thinking}};
  for (const auto& [label, part] : row.parts) json["by_label"][label] = part_json(part);
  if (row.method.empty()) return json;
  json["training_tokens"] = row.training_tokens;
  json["extra_tokens"] = row.extra_tokens;
  json["seconds"] = row.seconds;
  for (const auto& curve : row.curves) {
    json["curves"][curve.metric] = {{"steps", curve.by_step.steps},
                                    {"values", curve.by_step.values},
                                    {"thousands_of_tokens", curve.by_tokens.steps},
                                    {"values_by_tokens", curve.by_tokens.values}};
  }
  return json;
}

}  // namespace

SuiteEstimate estimate_over(const std::vector<std::vector<double>>& values) {
  LACONIC_CHECK(!values.empty() && !values.front().empty(), "an estimate needs values");
  std::vector<double> by_seed, by_problem(values.front().size(), 0.0);
  for (const auto& seed : values) {
    LACONIC_CHECK(seed.size() == by_problem.size(), "seed with {} problems beside one with {}", seed.size(),
                  by_problem.size());
    by_seed.push_back(mean_of(seed));
    for (size_t p = 0; p < seed.size(); ++p) by_problem[p] += seed[p] / static_cast<double>(values.size());
  }
  SuiteEstimate estimate;
  estimate.mean = mean_of(by_seed);
  estimate.seeds = metrics::mean_interval(by_seed);
  estimate.problems = metrics::mean_interval(by_problem);
  estimate.both = estimate.problems;
  if (by_seed.size() > 1) {
    const double half = std::hypot(estimate.seeds.high - estimate.mean, estimate.problems.high - estimate.mean);
    estimate.both = {estimate.mean, estimate.mean - half, estimate.mean + half};
  }
  return estimate;
}

const SuiteCurve* find_curve(const SuiteRow& row, std::string_view metric) {
  const auto found =
      std::find_if(row.curves.begin(), row.curves.end(), [&](const auto& curve) { return curve.metric == metric; });
  return found == row.curves.end() ? nullptr : &*found;
}

double value_at(const Series& series, double x) {
  const auto& steps = series.steps;
  if (steps.empty() || x < static_cast<double>(steps.front()) || x > static_cast<double>(steps.back()))
    return std::numeric_limits<double>::quiet_NaN();
  const auto after = std::lower_bound(steps.begin(), steps.end(), x,
                                      [](int64_t step, double at) { return static_cast<double>(step) < at; });
  const auto i = static_cast<size_t>(after - steps.begin());
  if (i == 0) return series.values.front();
  const auto low = static_cast<double>(steps[i - 1]), high = static_cast<double>(steps[i]);
  return series.values[i - 1] + (x - low) / (high - low) * (series.values[i] - series.values[i - 1]);
}

SuiteResults read_suite_results(const SuitePlan& plan, const SuiteOutcome& outcome) {
  SuiteResults results;
  results.failures = outcome.failures;
  for (const auto& base : plan.bases) {
    const auto ready = outcome.bases.find(base.name);
    if (ready == outcome.bases.end()) continue;
    SuiteBaseResult result;
    result.base = base.name;
    result.attempt = ready->second.attempt;
    result.seeds = plan.seeds;
    fill_final(result.before, {read_answers(ready->second.evaluation)});
    double least = std::numeric_limits<double>::infinity();
    for (const auto& method : plan.methods) {
      auto row = read_method(plan, base, method);
      if (row.seeds == 0) continue;
      if (const SuiteCurve* curve = find_curve(row, kHeldOutAccuracy); curve && !curve->by_tokens.steps.empty())
        least = std::min(least, static_cast<double>(curve->by_tokens.steps.back()));
      result.rows.push_back(std::move(row));
    }
    result.equal_tokens = std::isfinite(least) ? least : 0.0;
    results.bases.push_back(std::move(result));
  }
  return results;
}

Json suite_json(const SuitePlan& plan, const SuiteResults& results) {
  Json json = {{"title", plan.settings.title}, {"seeds", plan.seeds}, {"bases", Json::array()}};
  for (const auto& result : results.bases) {
    Json base = {{"base", result.base},
                 {"attempt", result.attempt},
                 {"before", row_json(result.before, result)},
                 {"equal_thousands_of_tokens", result.equal_tokens},
                 {"methods", Json::array()}};
    for (const auto& row : result.rows) base["methods"].push_back(row_json(row, result));
    json["bases"].push_back(std::move(base));
  }
  json["failures"] = Json::array();
  for (const auto& failure : results.failures)
    json["failures"].push_back({{"what", failure.what}, {"reason", failure.reason}});
  return json;
}

}  // namespace laconic::trainers

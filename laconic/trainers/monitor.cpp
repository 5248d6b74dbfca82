#include "laconic/trainers/monitor.h"

#include <numeric>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/trainers/run_record.h"

namespace laconic::trainers {
namespace {

// Of an endless source: positions that training does not reach.
constexpr uint64_t kEndlessPositions = uint64_t{1} << 40;

std::vector<uint64_t> positions(const MonitorSection& section, const std::optional<int64_t>& size) {
  std::vector<uint64_t> chosen;
  if (!size) {
    chosen.resize(static_cast<size_t>(section.prompts));
    std::iota(chosen.begin(), chosen.end(), kEndlessPositions + (section.seed << 20));
    return chosen;
  }
  if (section.prompts > *size)
    fail(ErrorKind::usage, "monitor.prompts: expected at most the {} prompts of the data, found {}", *size,
         section.prompts);
  chosen.resize(static_cast<size_t>(*size));
  std::iota(chosen.begin(), chosen.end(), uint64_t{0});
  Rng(DrawPurpose::monitor_set, {section.seed}).shuffle(chosen);
  chosen.resize(static_cast<size_t>(section.prompts));
  return chosen;
}

// Of a finished group only what objectives look at stays: lengths and verdicts, not the tokens.
void drop_tokens(algorithms::Group& group) {
  for (auto& sample : group.samples) {
    sample.ids = {};
    sample.logp_rollout = {};
    sample.entropy = {};
    sample.forced = {};
  }
}

}  // namespace

MonitorPass::MonitorPass(const MonitorSection& section, const PromptSource& source, int every) : every_(every) {
  uint64_t index = 0;
  for (uint64_t position : positions(section, source.size()))
    prompts_.push_back({source.training_prompt(position), index++});
}

bool MonitorPass::due(int64_t step, const MonitorState& state) const {
  return step % every_ == 0 && state.step != step;
}

void MonitorPass::run(rollout::Engine& engine, algorithms::Objective& objective, const Judge& judge,
                      CollectOptions options, MonitorState& state) const {
  const auto step = static_cast<int64_t>(options.step);
  options.step += kMonitorDraws;
  options.window_samples = 2 * engine.options().max_rows;
  metrics::Progress progress(fmt::format("step {}: monitor pass", step + 1), static_cast<int64_t>(prompts_.size()),
                             "prompts");
  int64_t complete = 0;
  options.on_group = [&](size_t, algorithms::Group& group) {
    drop_tokens(group);
    progress.update(++complete);
  };
  CollectReport report;
  algorithms::Step pass;
  pass.groups = collect(engine, objective, prompts_, judge, options, {}, report);
  progress.finish();
  pass.seed = options.seed;
  pass.index = static_cast<uint64_t>(step);
  pass.max_completion_tokens = options.max_tokens;
  objective.monitor(pass);

  double samples = 0, right = 0, tokens = 0;
  for (const auto& group : pass.groups) {
    for (const auto& sample : group.samples) {
      ++samples;
      right += sample.verdict.correct;
      tokens += static_cast<double>(sample.length);
    }
  }
  state.step = step;
  state.tokens += report.drawn_tokens;
  state.values = {{"monitor/prompts", static_cast<double>(pass.groups.size())},
                  {"monitor/accuracy", right / samples},
                  {"monitor/mean_tokens", tokens / samples},
                  {"monitor/tokens", static_cast<double>(report.drawn_tokens)},
                  {"monitor/tokens_total", static_cast<double>(state.tokens)}};
}

}  // namespace laconic::trainers

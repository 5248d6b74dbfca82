#include "laconic/core/data/procedural/chain_sft.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "laconic/core/base/error.h"

namespace laconic::data {
namespace {

constexpr uint64_t kSftStream = 3;  // see chain_task.cpp: one number per stream of draws
constexpr int kMaxAnswerLines = 2;

template <size_t N>
int pick(Rng& rng, const std::array<double, N>& weights) {
  double u = rng.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i + 1 < N; ++i) {
    if (u < weights[i]) return static_cast<int>(i);
    u -= weights[i];
  }
  return static_cast<int>(N) - 1;
}

// A statement of `x op` that copies nothing, with the writer's errors. Only the first statement of a step falls for the
// misconception; a later one, made because x has changed, just slips.
int state(Rng& rng, int op, int x, const ChainStyle& style, bool first) {
  const int truth = chain_apply(op, x);
  if (first && op == kChainTimes7 && rng.chance(style.misconception)) return (truth + 1) % 10;
  if (rng.chance(style.slip)) return (truth + rng.between(1, 9)) % 10;
  return truth;
}

void write_line(std::vector<int32_t>& ids, const ChainProblem& problem, int step, int x, int result) {
  const bool last = step == problem.steps() - 1;
  ids.push_back(chain_label(step, problem.steps()));
  ids.push_back(chain_id::digit + x);
  ids.push_back(chain_id::op + problem.ops[static_cast<size_t>(step)]);
  ids.push_back((last ? chain_id::final_result : chain_id::inner_result) + result);
}

ChainThinking draw_unbounded(Rng& rng, const ChainProblem& problem, const ChainStyle& style) {
  struct Statement {
    int x = 0, result = 0;
  };
  ChainThinking thinking;
  std::array<Statement, kChainMaxSteps> last;
  const double q = style.verbosity_low + (style.verbosity_high - style.verbosity_low) * rng.uniform();
  thinking.passes = 1 + pick(rng, style.passes);
  for (int pass = 0; pass < thinking.passes; ++pass) {
    if (pass > 0) thinking.ids.push_back(chain_id::again);
    int x = problem.start;
    for (int step = 0; step < problem.steps(); ++step) {
      auto& before = last[static_cast<size_t>(step)];
      const int op = problem.ops[static_cast<size_t>(step)];
      const int truth = chain_apply(op, x);
      const bool restated = pass > 0 && before.x == x;
      int result = restated ? before.result : state(rng, op, x, style, pass == 0);
      if (restated && result != truth && rng.chance(style.repair)) result = truth;
      write_line(thinking.ids, problem, step, x, result);
      for (int check = 0; check < style.max_checks && rng.chance(q); ++check) {
        if (result != truth && rng.chance(style.repair)) result = truth;
        thinking.ids.push_back(chain_id::wait);
        write_line(thinking.ids, problem, step, x, result);
      }
      if (rng.chance(style.filler))
        thinking.ids.insert(thinking.ids.end(), static_cast<size_t>(rng.between(1, 3)), chain_id::hmm);
      before = {x, result};
      x = result;
    }
    thinking.result = x;
  }
  return thinking;
}

// Where a (cut) thinking text stands: the value after its last completed line and the first step still open.
struct Progress {
  int value = 0;
  int next_step = 0;
};

Progress progress_of(std::span<const int32_t> thinking, const ChainProblem& problem) {
  Progress progress{problem.start, 0};
  for (size_t i = 0; i < thinking.size(); ++i) {
    if (thinking[i] >= chain_id::final_result) {
      progress = {thinking[i] - chain_id::final_result, problem.steps()};
    } else if (thinking[i] >= chain_id::inner_result && progress.next_step < problem.steps()) {
      progress = {thinking[i] - chain_id::inner_result, thinking[i - 3] - chain_id::label + 1};
    }
  }
  return progress;
}

// At most two lines for the open steps, then the box: the chain's value where it was reached, else the truth (which
// cannot be computed from what was written, and is learned as a guess).
void write_answer(Rng& rng, std::vector<int32_t>& ids, const ChainProblem& problem, Progress at,
                  const ChainSftOptions& options) {
  const int end = std::min(problem.steps(), at.next_step + kMaxAnswerLines);
  int x = at.value;
  for (int step = at.next_step; step < end; ++step) {
    const int result = state(rng, problem.ops[static_cast<size_t>(step)], x, options.style, true);
    write_line(ids, problem, step, x, result);
    x = result;
  }
  const int boxed = chain_answer(options.answers, end == problem.steps() ? x : chain_gold(problem));
  ids.insert(ids.end(), {chain_id::box_open, chain_id::digit + boxed, chain_id::box_close, chain_id::eos});
}

}  // namespace

ChainThinking draw_chain_thinking(Rng& rng, const ChainProblem& problem, const ChainStyle& style) {
  LACONIC_CHECK(style.max_thinking >= 4 * problem.steps(), "max_thinking {} leaves no room for {} lines",
                style.max_thinking, problem.steps());
  for (;;) {
    auto thinking = draw_unbounded(rng, problem, style);
    if (static_cast<int>(thinking.ids.size()) <= style.max_thinking) return thinking;
  }
}

ChainSftOptions chain_clean_phase() {
  ChainSftOptions options;
  options.style.verbosity_low = options.style.verbosity_high = 0.1;
  options.style.passes = {1, 0, 0, 0};
  options.style.filler = options.style.misconception = options.style.slip = 0;
  options.grade_weights = {2, 1, 1};
  options.rows = {1, 0, 0, 0};
  options.short_forced_empty = 0.3;
  return options;
}

ChainSftOptions chain_mixture() {
  return {};
}

ChainSftSample chain_sft_sample(const ChainSftOptions& options, uint64_t seed, uint64_t index) {
  Rng rng(DrawPurpose::procedural_data, {seed, kSftStream, index});
  ChainSftSample sample;
  sample.problem = draw_chain_problem(rng, ChainSplit::train, options.grade_weights);
  sample.row = static_cast<ChainRow>(pick(rng, options.rows));
  if (sample.problem.steps() <= kMaxAnswerLines && rng.chance(options.short_forced_empty))
    sample.row = ChainRow::forced_empty;
  sample.prompt = chain_prompt_ids(sample.problem);
  Progress progress{sample.problem.start, 0};
  switch (sample.row) {
    case ChainRow::thinking: {
      const auto thinking = draw_chain_thinking(rng, sample.problem, options.style);
      progress = {thinking.result, sample.problem.steps()};
      sample.completion = thinking.ids;
      sample.completion.push_back(chain_id::end_think);
      break;
    }
    case ChainRow::exit: {
      const auto thinking = draw_chain_thinking(rng, sample.problem, options.style);
      const auto cut = std::span(thinking.ids).first(1 + rng.below(static_cast<uint32_t>(thinking.ids.size())));
      progress = progress_of(cut, sample.problem);
      sample.prompt.insert(sample.prompt.end(), cut.begin(), cut.end());
      auto& asked_by = options.self_exit > 0 && rng.chance(options.self_exit) ? sample.completion : sample.prompt;
      asked_by.insert(asked_by.end(), {chain_id::stop, chain_id::end_think});
      break;
    }
    case ChainRow::forced_empty:
      sample.prompt.push_back(chain_id::end_think);
      break;
    case ChainRow::empty:
      sample.completion.push_back(chain_id::end_think);
      break;
  }
  write_answer(rng, sample.completion, sample.problem, progress, options);
  return sample;
}

}  // namespace laconic::data

// Supervised samples of the chain task: solution text that thinks step by step and re-checks itself more than needed,
// with slips, one misconception and repairs, so that in the data more thinking means higher accuracy.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/data/procedural/chain_task.h"

namespace laconic::data {

// How a thinking text is written.
struct ChainStyle {
  double verbosity_low = 0.15;   // q ~ U(low, high), once per sample: a line is followed by a check with probability q,
  double verbosity_high = 0.75;  // that one by another with probability q, and so on
  int max_checks = 3;
  std::array<double, 4> passes = {0.15, 0.60, 0.20, 0.05};  // probability of 1..4 passes
  double filler = 0.1;                                      // probability of 1..3 `hmm` after a line and its checks
  double misconception = 0.55;                              // `x *7` stated as the true value + 1
  double slip = 0.08;                                       // any other wrong result, uniform
  double repair = 0.8;                                      // a check or a restatement puts a wrong result right
  int max_thinking = 150;                                   // longer thinking is drawn again
};

struct ChainThinking {
  std::vector<int32_t> ids;  // without <think> and </think>
  int result = 0;            // the last `#d`
  int passes = 0;
};

ChainThinking draw_chain_thinking(Rng& rng, const ChainProblem& problem, const ChainStyle& style);

// What a sample teaches; the loss covers its completion only.
enum class ChainRow {
  thinking,      // problem                                    -> thinking </think> box
  exit,          // problem + cut thinking + `stop </think>`   -> at most two open lines, box (see self_exit)
  forced_empty,  // problem + `</think>`                       -> at most two lines, box
  empty,         // problem                                    -> `</think>`, at most two lines, box
};

struct ChainSftOptions {
  ChainStyle style;
  std::array<double, 3> grade_weights = {1, 1, 1};        // easy, medium, hard
  std::array<double, 4> rows = {0.74, 0.15, 0.10, 0.01};  // shares in the order of ChainRow
  double short_forced_empty =
      0;                 // probability that a problem with k <= 2 becomes a forced_empty row whatever `rows` says
  double self_exit = 0;  // share of the exit rows that write their `stop </think>` themselves: it is in the completion
  ChainAnswers answers;
};

// The clean phase that comes first (about 25 % of the time): one pass, no slips, few checks, no filler; easy : medium :
// hard = 2 : 1 : 1; 30 % of the k <= 2 problems with empty thinking. Its `</think>` is part of the prompt, so that this
// phase does not raise the prior of empty thinking.
ChainSftOptions chain_clean_phase();
// The mixture that follows: the four shares above over all grades.
ChainSftOptions chain_mixture();

struct ChainSftSample {
  ChainProblem problem;
  ChainRow row = ChainRow::thinking;
  std::vector<int32_t> prompt;
  std::vector<int32_t> completion;  // ends with `\boxed{ d } <eos>`
};

// Sample `index` of the stream `seed`, from the training split: a pure function of its arguments.
ChainSftSample chain_sft_sample(const ChainSftOptions& options, uint64_t seed, uint64_t index);

}  // namespace laconic::data

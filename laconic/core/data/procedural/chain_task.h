// Chain arithmetic: the procedural reasoning task of the suite. A start digit and k = 1..6 steps of `+1`..`+9`, `*3`,
// `*7`, `*9` modulo 10, worked from left to right. Every word is one token, a problem's answer is one digit, chance
// level is 10 %.
//
//   prompt   <bos> x0 (label op){k} ? <think>      labels a, b, c, ... and always z for the last step
//   line     label x op result                     result `=d`, in the last step `#d`
//
// The multipliers are units modulo 10, so an error never cancels on the way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/base/rng.h"

namespace laconic::data {

// The 60 words; a word's id is its position in chain_words().
namespace chain_id {
inline constexpr int32_t pad = 0;
inline constexpr int32_t bos = 1;
inline constexpr int32_t eos = 2;
inline constexpr int32_t think = 3;
inline constexpr int32_t end_think = 4;
inline constexpr int32_t box_open = 5;
inline constexpr int32_t box_close = 6;
inline constexpr int32_t question = 7;
inline constexpr int32_t wait = 8;
inline constexpr int32_t again = 9;
inline constexpr int32_t hmm = 10;
inline constexpr int32_t stop = 11;
inline constexpr int32_t digit = 12;         // + 0..9
inline constexpr int32_t label = 22;         // a b c d e z
inline constexpr int32_t op = 28;            // +1..+9 *3 *7 *9
inline constexpr int32_t inner_result = 40;  // =0..=9
inline constexpr int32_t final_result = 50;  // #0..#9
}  // namespace chain_id

inline constexpr int kChainVocabulary = 60;
inline constexpr int kChainMaxSteps = 6;
inline constexpr int kChainOps = 12;
inline constexpr int kChainTimes7 = 10;  // index of `*7` among the operations

const std::array<std::string_view, kChainVocabulary>& chain_words();

// Words of ids, separated by one space.
std::string chain_text(const std::vector<int32_t>& ids);
// Ids of words separated by white space; an unknown word is an error that names it.
std::vector<int32_t> chain_ids(std::string_view text);

enum class ChainGrade { easy, medium, hard };  // k in {1,2}, {3,4}, {5,6}
const char* to_string(ChainGrade grade);

// Held out = chain_hash(problem) mod 10 == 0, everything else is for training. There are only 120 problems with k = 1.
enum class ChainSplit { train, held_out };

struct ChainProblem {
  int start = 0;         // 0..9
  std::vector<int> ops;  // indices 0..11 into `+1`..`+9 *3 *7 *9`, in order of application

  int steps() const { return static_cast<int>(ops.size()); }
  ChainGrade grade() const;
  bool operator==(const ChainProblem&) const = default;
};

int chain_apply(int op, int x);
int chain_gold(const ChainProblem& problem);

// What the box asks for. The plain task: the value itself. With a threshold t of 1..9 the answer is 1 for a value of t
// or more, else 0, so that guessing 1 is right with probability (10 - t) / 10: a variant in which shorter, worse
// answers pay. Problems, split and prompts stay those of the plain task.
struct ChainAnswers {
  int threshold = 0;  // 0 = the value itself
};
int chain_answer(const ChainAnswers& answers, int value);

std::vector<int32_t> chain_prompt_ids(const ChainProblem& problem);  // <bos> ... ? <think>

// Label of step i of k: a, b, c, ... and z for the last.
int32_t chain_label(int step, int steps);

// FNV-1a (64 bit) over the bytes 22, start, op, op, ..., then the murmur3 finaliser. Part of the task's definition:
// never change it.
uint64_t chain_hash(const ChainProblem& problem);
ChainSplit chain_split(const ChainProblem& problem);

// Draws a problem of the split: grade by weight, k uniform within the grade, start uniform, each operation `+` with
// probability 2/3 (operand uniform), else `*`. Redraws start and operations (not k) until the split fits, so k keeps
// its distribution.
ChainProblem draw_chain_problem(Rng& rng, ChainSplit split, const std::array<double, 3>& grade_weights);

// Problem `index` of the stream `seed`: a pure function of its arguments.
ChainProblem chain_problem(ChainSplit split, uint64_t seed, uint64_t index,
                           std::optional<ChainGrade> grade = std::nullopt);

// `per_grade` held-out problems of each grade (easy first), the same for the same seed.
std::vector<ChainProblem> chain_held_out(int per_grade, uint64_t seed);

}  // namespace laconic::data

#include "laconic/core/data/procedural/chain_task.h"

#include <algorithm>

#include "laconic/core/base/error.h"

namespace laconic::data {
namespace {

// Streams of procedural draws; numbers are part of the reproducibility contract.
constexpr uint64_t kTrainStream = 1;
constexpr uint64_t kHeldOutStream = 2;

// Chosen so that exactly 12 of the 120 one-step problems are held out.
constexpr int kHashSalt = 22;

}  // namespace

const std::array<std::string_view, kChainVocabulary>& chain_words() {
  static constexpr std::array<std::string_view, kChainVocabulary> kWords = {
      "<pad>", "<bos>", "<eos>", "<think>", "</think>", "\\boxed{", "}",  "?",  "wait", "again", "hmm", "stop",  //
      "0",     "1",     "2",     "3",       "4",        "5",        "6",  "7",  "8",    "9",                     //
      "a",     "b",     "c",     "d",       "e",        "z",                                                     //
      "+1",    "+2",    "+3",    "+4",      "+5",       "+6",       "+7", "+8", "+9",   "*3",    "*7",  "*9",    //
      "=0",    "=1",    "=2",    "=3",      "=4",       "=5",       "=6", "=7", "=8",   "=9",                    //
      "#0",    "#1",    "#2",    "#3",      "#4",       "#5",       "#6", "#7", "#8",   "#9"};
  return kWords;
}

std::string chain_text(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) {
    LACONIC_CHECK(id >= 0 && id < kChainVocabulary, "id {} is outside of the chain vocabulary", id);
    if (!text.empty()) text += ' ';
    text += chain_words()[static_cast<size_t>(id)];
  }
  return text;
}

std::vector<int32_t> chain_ids(std::string_view text) {
  const auto& words = chain_words();
  std::vector<int32_t> ids;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    const auto word = text.substr(at, end - at);
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) fail(ErrorKind::input, "`{}` is not a word of the chain task", word);
    ids.push_back(static_cast<int32_t>(found - words.begin()));
    at = end;
  }
  return ids;
}

const char* to_string(ChainGrade grade) {
  switch (grade) {
    case ChainGrade::easy:
      return "easy";
    case ChainGrade::medium:
      return "medium";
    case ChainGrade::hard:
      return "hard";
  }
  return "?";
}

ChainGrade ChainProblem::grade() const {
  return static_cast<ChainGrade>((steps() - 1) / 2);
}

int chain_apply(int op, int x) {
  constexpr std::array<int, 3> kFactors = {3, 7, 9};
  return op < 9 ? (x + op + 1) % 10 : (x * kFactors[static_cast<size_t>(op - 9)]) % 10;
}

int chain_gold(const ChainProblem& problem) {
  int x = problem.start;
  for (const int op : problem.ops) x = chain_apply(op, x);
  return x;
}

int chain_answer(const ChainAnswers& answers, int value) {
  if (answers.threshold == 0) return value;
  return value >= answers.threshold ? 1 : 0;
}

int32_t chain_label(int step, int steps) {
  return chain_id::label + (step == steps - 1 ? kChainMaxSteps - 1 : step);
}

std::vector<int32_t> chain_prompt_ids(const ChainProblem& problem) {
  std::vector<int32_t> ids = {chain_id::bos, chain_id::digit + problem.start};
  for (int i = 0; i < problem.steps(); ++i) {
    ids.push_back(chain_label(i, problem.steps()));
    ids.push_back(chain_id::op + problem.ops[static_cast<size_t>(i)]);
  }
  ids.push_back(chain_id::question);
  ids.push_back(chain_id::think);
  return ids;
}

uint64_t chain_hash(const ChainProblem& problem) {
  uint64_t hash = 0xCBF29CE484222325ull;
  const auto add = [&hash](int byte) { hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001B3ull; };
  add(kHashSalt);
  add(problem.start);
  for (const int op : problem.ops) add(op);
  hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDull;
  hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return hash ^ (hash >> 33);
}

ChainSplit chain_split(const ChainProblem& problem) {
  return chain_hash(problem) % 10 == 0 ? ChainSplit::held_out : ChainSplit::train;
}

ChainProblem draw_chain_problem(Rng& rng, ChainSplit split, const std::array<double, 3>& grade_weights) {
  const double total = grade_weights[0] + grade_weights[1] + grade_weights[2];
  LACONIC_CHECK(total > 0, "grade weights must have a positive sum");
  const double u = rng.uniform() * total;
  const int grade = u < grade_weights[0] ? 0 : u < grade_weights[0] + grade_weights[1] ? 1 : 2;
  const int steps = rng.between(2 * grade + 1, 2 * grade + 2);
  ChainProblem problem;
  do {
    problem.start = rng.between(0, 9);
    problem.ops.clear();
    for (int i = 0; i < steps; ++i)
      problem.ops.push_back(rng.chance(2.0 / 3.0) ? rng.between(0, 8) : rng.between(9, 11));
  } while (chain_split(problem) != split);
  return problem;
}

ChainProblem chain_problem(ChainSplit split, uint64_t seed, uint64_t index, std::optional<ChainGrade> grade) {
  const uint64_t stream = split == ChainSplit::train ? kTrainStream : kHeldOutStream;
  Rng rng(DrawPurpose::procedural_data, {seed, stream, index});
  std::array<double, 3> weights = {1, 1, 1};
  if (grade) {
    weights = {0, 0, 0};
    weights[static_cast<size_t>(*grade)] = 1;
  }
  return draw_chain_problem(rng, split, weights);
}

std::vector<ChainProblem> chain_held_out(int per_grade, uint64_t seed) {
  std::vector<ChainProblem> problems;
  for (const auto grade : {ChainGrade::easy, ChainGrade::medium, ChainGrade::hard}) {
    for (int i = 0; i < per_grade; ++i) {
      problems.push_back(chain_problem(ChainSplit::held_out, seed, problems.size(), grade));
    }
  }
  return problems;
}

}  // namespace laconic::data

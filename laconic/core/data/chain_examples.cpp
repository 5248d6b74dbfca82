#include "laconic/core/data/chain_examples.h"

#include <fmt/format.h>

#include <string>

namespace laconic::data {

Example chain_example(const ChainProblem& problem, const ChainAnswers& answers) {
  Example example;
  std::string operations;
  for (const int op : problem.ops)
    operations += chain_words()[static_cast<size_t>(chain_id::op) + static_cast<size_t>(op)];
  example.id = fmt::format("chain:{}:{}", problem.start, operations);
  example.prompt = chain_text(chain_prompt_ids(problem));
  example.answer = std::to_string(chain_answer(answers, chain_gold(problem)));
  example.columns = {{"grade", to_string(problem.grade())}, {"steps", problem.steps()}};
  example.source = "procedural:chain";
  return example;
}

std::vector<Example> chain_training_examples(size_t count, uint64_t seed) {
  std::vector<Example> examples;
  examples.reserve(count);
  for (size_t i = 0; i < count; ++i) examples.push_back(chain_example(chain_problem(ChainSplit::train, seed, i)));
  return examples;
}

std::vector<Example> chain_held_out_examples(int per_grade, uint64_t seed) {
  std::vector<Example> examples;
  for (const auto& problem : chain_held_out(per_grade, seed)) examples.push_back(chain_example(problem));
  return examples;
}

}  // namespace laconic::data

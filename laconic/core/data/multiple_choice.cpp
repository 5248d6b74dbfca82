#include "laconic/core/data/multiple_choice.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/data/prompt_order.h"
#include "laconic/core/data/text_hash.h"

namespace laconic::data {

MultipleChoice multiple_choice(const std::string& question, const std::string& right,
                               const std::vector<std::string>& wrong, uint64_t seed) {
  LACONIC_CHECK(!wrong.empty() && wrong.size() < 26, "{} wrong options", wrong.size());
  const size_t count = wrong.size() + 1;
  const PromptOrder order(count, mix_key({seed, text_hash(question)}));
  MultipleChoice result;
  result.prompt = question + "\n";
  for (size_t place = 0; place < count; ++place) {
    const size_t option = order.at(place);  // 0 is the right one
    const char letter = static_cast<char>('A' + place);
    if (option == 0) result.answer = letter;
    result.prompt += fmt::format("\n{}) {}", letter, option == 0 ? right : wrong[option - 1]);
  }
  return result;
}

}  // namespace laconic::data

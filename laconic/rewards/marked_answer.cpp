#include "laconic/rewards/marked_answer.h"

#include "laconic/core/base/strings.h"
#include "laconic/rewards/extract.h"

namespace laconic::rewards {

MarkedAnswer marked_answer(std::string_view text) {
  const auto found = [](std::string_view answer, bool marked) {
    const auto trimmed = trim(answer);
    return MarkedAnswer{trimmed, marked, trimmed.empty() ? "the answer is empty" : nullptr};
  };
  const auto box = last_box(text);
  if (box.state == BoxState::unclosed) return {{}, true, "the last \\boxed{ is not closed"};
  if (box.state == BoxState::closed) return found(box.content, true);
  if (const auto tag = answer_tag(text)) return found(*tag, true);
  if (const auto hashes = after_hashes(text)) return found(*hashes, true);
  if (const auto phrase = answer_phrase(text)) return found(*phrase, true);
  return found(text, false);
}

}  // namespace laconic::rewards

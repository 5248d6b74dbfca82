#include "laconic/rewards/format.h"

#include <array>

#include "laconic/rewards/extract.h"

namespace laconic::rewards {
namespace {

int count(std::string_view text, std::string_view word) {
  int n = 0;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}

}  // namespace

double think_answer_format(std::string_view text) {
  constexpr std::string_view kBegin = "<think>\n", kMiddle = "\n</think>\n<answer>\n", kEnd = "\n</answer>";
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd)) return 0;
  const size_t middle = text.find(kMiddle, kBegin.size() - 1);
  return middle != std::string_view::npos && middle + kMiddle.size() <= text.size() - kEnd.size() + 1 ? 1 : 0;
}

double tag_count_format(std::string_view text) {
  constexpr std::array<std::string_view, 4> kTags = {"<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"};
  double share = 0;
  for (const auto tag : kTags) share += count(text, tag) == 1 ? 0.25 : 0;
  return share;
}

double thinking_format(std::string_view text, std::string_view prompt_text) {
  const auto tags = read_thinking(text, prompt_text);
  const bool opened = tags.opens == 1 || prompt_text.rfind(kThinkOpen) != std::string_view::npos;
  return tags.well_formed && opened ? 1 : 0;
}

}  // namespace laconic::rewards

// The answer to a puzzle in a response, where it is marked.
#pragma once

#include <string_view>

namespace laconic::rewards {

// Of a graded text the content of the last \boxed{}, else of the last <answer> tag, else what follows the last `####`,
// else what follows the last "answer is" or "answer:"; where none of them stands, the whole text, which is not marked.
struct MarkedAnswer {
  std::string_view text;
  bool marked = false;
  const char* problem = nullptr;  // set when there is no answer: a box that is empty or never closed, an empty text
};
MarkedAnswer marked_answer(std::string_view text);

}  // namespace laconic::rewards

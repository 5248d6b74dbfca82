// Finding stop strings in text that arrives token by token.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace laconic::rollout {

// Turns ids into text as they come; implemented by whoever owns the tokenizer.
class TextStream {
 public:
  virtual ~TextStream() = default;
  virtual std::string push(int32_t id) = 0;
};

class StopText {
 public:
  StopText(std::vector<std::string> stops, std::unique_ptr<TextStream> stream);

  // Takes the next token; true when the text up to it ends or holds a stop string that this token completed. A forced
  // token never stops.
  bool push(int32_t id, bool forced);

 private:
  std::vector<std::string> stops_;
  std::unique_ptr<TextStream> stream_;
  std::string tail_;  // the end of the text, long enough for a stop string that is not complete
  size_t longest_ = 0;
};

}  // namespace laconic::rollout

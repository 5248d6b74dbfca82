// What one rendering may cost: templates come from files of others, and a loop over range(100000) in a loop would
// otherwise run for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "laconic/core/text/jinja_error.h"

namespace laconic::text::jinja {

struct Limits {
  size_t output_bytes = size_t{64} << 20;
  uint64_t work = 10'000'000;  // evaluated expressions, visited items and 16-byte pieces of made text
  int depth = 600;             // nested evaluations: statements, expressions, macro calls
};

class Budget {
 public:
  explicit Budget(const Limits& limits) : limits_(limits), left_(limits.work) {}

  void spend(uint64_t units) {
    if (units > left_) template_error("the template does too much work (more than {} steps)", limits_.work);
    left_ -= units;
  }
  // Before text of this size is made or searched.
  void text(size_t bytes) { spend(bytes / 16 + 1); }
  const Limits& limits() const { return limits_; }

  // Held while an evaluation is inside another one; guards the C++ stack.
  class Level {
   public:
    explicit Level(Budget& budget) : budget_(budget) {
      if (budget_.depth_ >= budget_.limits_.depth) {
        template_error("evaluation is nested more than {} deep (endless recursion?)", budget_.limits_.depth);
      }
      ++budget_.depth_;
    }
    ~Level() { --budget_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& budget_;
  };

 private:
  Limits limits_;
  uint64_t left_;
  int depth_ = 0;
};

// Text under construction: the result, or what a macro or a set block captures.
class Output {
 public:
  explicit Output(Budget& budget) : budget_(budget) {}
  void write(std::string_view text) {
    budget_.text(text.size());
    if (text_.size() + text.size() > budget_.limits().output_bytes) {
      template_error("the output is larger than {} bytes", budget_.limits().output_bytes);
    }
    text_.append(text);
  }
  std::string take() { return std::move(text_); }

 private:
  Budget& budget_;
  std::string text_;
};

}  // namespace laconic::text::jinja

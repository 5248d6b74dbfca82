// Everything that is wrong with a configuration, collected while it is read and reported together.
#pragma once

#include <string>
#include <vector>

#include "laconic/core/config/value.h"

namespace laconic::config {

class Problems {
 public:
  // `key` is the full dotted key, or "" where there is none.
  void add(const Place& place, const std::string& key, const std::string& message);
  bool empty() const { return list_.empty(); }
  // What was said first, without place and key; "" where there are no problems.
  std::string first_message() const { return list_.empty() ? "" : list_.front().message; }
  // Throws an Error of kind usage where there are problems: one line each, in the order of the file and then of the
  // overrides, and a last line that counts those beyond kShown.
  void raise() const;

  static constexpr size_t kShown = 20;

 private:
  struct Problem {
    Place place;
    std::string key;
    std::string message;
    std::string line() const;
  };
  std::vector<Problem> list_;
};

}  // namespace laconic::config

#include "laconic/rewards/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::rewards {

const std::string* OptionReader::find(const std::string& name) {
  known_.push_back(name);
  const auto found = options_.find(name);
  return found == options_.end() ? nullptr : &found->second;
}

bool OptionReader::boolean(const std::string& name, bool fallback) {
  return choice(name, {"false", "true"}, fallback ? 1 : 0) == 1;
}

double OptionReader::non_negative(const std::string& name, double fallback) {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  double number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number) || number < 0) {
    fail(ErrorKind::usage, "verifier `{}`: option `{}` must be a number >= 0, found `{}`", verifier_, name, *value);
  }
  return number;
}

std::string OptionReader::text(const std::string& name, const std::string& fallback) {
  const auto* value = find(name);
  return value == nullptr ? fallback : *value;
}

size_t OptionReader::choice(const std::string& name, const std::vector<std::string>& choices, size_t fallback) {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  const auto found = std::find(choices.begin(), choices.end(), *value);
  if (found == choices.end()) {
    fail(ErrorKind::usage, "verifier `{}`: option `{}` must be one of {}, found `{}`{}", verifier_, name,
         join(choices, ", "), *value, did_you_mean(*value, choices));
  }
  return static_cast<size_t>(found - choices.begin());
}

ThinkingRule OptionReader::thinking() {
  return static_cast<ThinkingRule>(choice("thinking", {"auto", "required", "ignore"}, 0));
}

bool OptionReader::truncated_is_wrong() {
  return choice("truncated", {"wrong", "graded"}, 0) == 0;
}

void OptionReader::finish() const {
  for (const auto& [name, value] : options_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    fail(ErrorKind::usage, "verifier `{}` has no option `{}`{}; it has {}", verifier_, name, did_you_mean(name, known_),
         join(known_, ", "));
  }
}

}  // namespace laconic::rewards

#include "laconic/core/config/problems.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::config {

void Problems::add(const Place& place, const std::string& key, const std::string& message) {
  list_.push_back({place, key, message});
}

std::string Problems::Problem::line() const {
  std::string text = to_string(place);
  if (!text.empty()) text += ": ";
  if (!key.empty()) text += shortened(key, 120) + ": ";
  return text + message;
}

void Problems::raise() const {
  if (list_.empty()) return;
  auto sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return stands_before(a.place, b.place); });
  std::vector<std::string> lines;
  for (size_t i = 0; i < sorted.size() && i < kShown; ++i) lines.push_back(sorted[i].line());
  if (sorted.size() > kShown) {
    const size_t hidden = sorted.size() - kShown;
    lines.push_back(fmt::format("... and {} more problem{}", hidden, hidden == 1 ? "" : "s"));
  }
  throw Error(ErrorKind::usage, join(lines, "\n"));
}

}  // namespace laconic::config

#include "laconic/core/data/length_counts.h"

#include <cmath>

namespace laconic::data {
namespace {

// 1, 2, 5, 10, 20, 50, ...: the smallest of them that is `least` or more.
int64_t round_width(double least) {
  for (int64_t decade = 1;; decade *= 10) {
    for (const int64_t step : {1, 2, 5}) {
      if (static_cast<double>(step * decade) >= least) return step * decade;
    }
  }
}

}  // namespace

int64_t LengthCounts::total() const {
  int64_t sum = 0;
  for (const auto& [length, count] : counts_) sum += count;
  return sum;
}

double LengthCounts::mean() const {
  double sum = 0;
  for (const auto& [length, count] : counts_) sum += static_cast<double>(length) * static_cast<double>(count);
  return counts_.empty() ? 0 : sum / static_cast<double>(total());
}

int64_t LengthCounts::quantile(double q) const {
  const auto wanted = static_cast<int64_t>(std::ceil(q * static_cast<double>(total())));
  int64_t seen = 0;
  for (const auto& [length, count] : counts_) {
    seen += count;
    if (seen >= wanted) return length;
  }
  return greatest();
}

std::vector<LengthCounts::Bin> LengthCounts::histogram(int bins) const {
  std::vector<Bin> result;
  if (counts_.empty()) return result;
  int64_t width = round_width(static_cast<double>(greatest() - least() + 1) / bins);
  // Bins begin at multiples of the width, which may take one more.
  while (greatest() / width - least() / width + 1 > bins) width = round_width(static_cast<double>(width) + 1);
  for (int64_t first = least() / width * width; first <= greatest(); first += width)
    result.push_back({first, first + width - 1, 0});
  for (const auto& [length, count] : counts_)
    result[static_cast<size_t>(length / width - least() / width)].count += count;
  return result;
}

}  // namespace laconic::data

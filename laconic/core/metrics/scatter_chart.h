// Accuracy against mean tokens, as inline SVG: a point per model with error bars and a label. Up and to the left is
// better.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "laconic/core/metrics/statistics.h"

namespace laconic::metrics {

enum class PointKind { before, after, other };  // colours, consistent with the rest of the page

struct ScatterPoint {
  std::string label;
  Interval accuracy;     // a fraction
  Interval mean_tokens;  // tokens per completion
  PointKind kind = PointKind::other;
  size_t color = 1;  // of `other`: the run's place in the page's legend
};

// Points without a finite estimate are left out. Unbounded intervals end at the edge of the picture. When there is
// exactly one `before` and one `after`, an arrow leads from one to the other.
std::string render_scatter_chart(const std::vector<ScatterPoint>& points);

}  // namespace laconic::metrics

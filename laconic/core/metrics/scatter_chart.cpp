#include "laconic/core/metrics/scatter_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "laconic/core/metrics/axis.h"
#include "laconic/core/metrics/console_style.h"
#include "laconic/core/metrics/html.h"
#include "laconic/core/metrics/line_chart.h"
#include "laconic/core/metrics/trend.h"

namespace laconic::metrics {
namespace {

constexpr double kWidth = 520;
constexpr double kHeight = 340;
constexpr double kLeft = 70;
constexpr double kRight = 504;
constexpr double kTop = 14;
constexpr double kBottom = 288;
constexpr double kRadius = 5.5;

struct Box {
  double x0, y0, x1, y1;
  bool overlaps(const Box& other) const { return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1; }
};

bool drawable(const ScatterPoint& point) {
  return is_drawable(point.accuracy.estimate) && is_drawable(point.mean_tokens.estimate);
}

std::string class_of(const ScatterPoint& point) {
  if (point.kind == PointKind::before) return "before";
  return point.kind == PointKind::after ? "after" : fmt::format("s{}", point.color % kRunColors);
}

// The axis over all estimates and their finite limits, with some air around them.
Axis axis_over(const std::vector<ScatterPoint>& points, Interval ScatterPoint::*member, Figure figure) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto& point : points) {
    const Interval& interval = point.*member;
    for (const double value : {interval.estimate, interval.low, interval.high}) {
      if (!is_drawable(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low > high) low = high = 0.0;
  const double air = std::min(0.06 * (high - low), 1e299);
  const bool share = figure == Figure::percent && high <= 1.0;
  low = low >= 0.0 ? std::max(0.0, low - air) : std::max(low - air, -1e300);
  high = std::min(high + air, share ? 1.0 : 1e300);
  return make_axis(low, high, {.figure = figure, .ticks = 5});
}

struct Frame {
  Axis x;
  Axis y;
  double px(double value) const { return kLeft + x.place(value) * (kRight - kLeft); }
  double py(double value) const { return kBottom - y.place(value) * (kBottom - kTop); }
};

std::string axes(const Frame& frame) {
  std::string svg;
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.py(tick.value);
    svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft, kRight, y, y);
    svg += fmt::format(R"(<text class="tick" text-anchor="end" x="{}" y="{:.1f}">{}</text>)", kLeft - 8, y + 4,
                       tick.label);
  }
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.px(tick.value);
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x, kTop, kBottom);
    svg += fmt::format(R"(<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>)", x, kBottom + 18,
                       tick.label);
  }
  svg += fmt::format(R"(<text class="axis" text-anchor="middle" x="{}" y="{}">mean tokens per completion</text>)",
                     (kLeft + kRight) / 2, kHeight - 12);
  return svg +
         fmt::format(
             R"svg(<text class="axis" text-anchor="middle" transform="translate(13 {}) rotate(-90)">accuracy</text>)svg",
             (kTop + kBottom) / 2);
}

// From one point towards the other, stopping short of both marks.
std::string arrow(const Frame& frame, const ScatterPoint& from, const ScatterPoint& to) {
  const double x0 = frame.px(from.mean_tokens.estimate), y0 = frame.py(from.accuracy.estimate);
  const double x1 = frame.px(to.mean_tokens.estimate), y1 = frame.py(to.accuracy.estimate);
  const double length = std::hypot(x1 - x0, y1 - y0);
  if (length < 40.0) return "";
  const double ux = (x1 - x0) / length, uy = (y1 - y0) / length;
  const double gap = kRadius + 6;
  const double ex = x1 - ux * gap, ey = y1 - uy * gap;
  std::string path = fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", x0 + ux * gap, y0 + uy * gap, ex, ey);
  for (const double side : {1.0, -1.0}) {
    path +=
        fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", ex, ey, ex - 7 * ux + side * 4 * uy, ey - 7 * uy - side * 4 * ux);
  }
  return fmt::format(R"(<path class="arrow" d="{}"/>)", path);
}

// Where the error bars of a point end; an unbounded one ends at the edge, an unknown one at the point.
Box reach_of(const Frame& frame, const ScatterPoint& point) {
  const auto known = [](double value, double otherwise) { return std::isnan(value) ? otherwise : value; };
  const Interval& tokens = point.mean_tokens;
  const Interval& accuracy = point.accuracy;
  return {frame.px(known(tokens.low, tokens.estimate)), frame.py(known(accuracy.high, accuracy.estimate)),
          frame.px(known(tokens.high, tokens.estimate)), frame.py(known(accuracy.low, accuracy.estimate))};
}

std::string bars(const Frame& frame, const ScatterPoint& point) {
  const Box reach = reach_of(frame, point);
  return fmt::format(R"(<path class="bar {}" d="M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f}"/>)", class_of(point),
                     reach.x0, frame.py(point.accuracy.estimate), reach.x1, frame.px(point.mean_tokens.estimate),
                     reach.y1, reach.y0);
}

std::string shortened(const std::string& label) {
  constexpr size_t kMost = 36;
  if (label.size() <= kMost) return label;
  size_t end = kMost - 1;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xc0) == 0x80) --end;
  return label.substr(0, end) + "\u2026";
}

// The first free place around the point, tried in order of how well it reads.
std::string place_label(const Frame& frame, const ScatterPoint& point, std::vector<Box>& taken) {
  const double x = frame.px(point.mean_tokens.estimate), y = frame.py(point.accuracy.estimate);
  const std::string label = shortened(point.label);
  const double width = 7.2 * display_width(label);
  const std::array<std::array<double, 2>, 8> places = {{{x + 11, y - 9},
                                                        {x + 11, y + 18},
                                                        {x - 11 - width, y - 9},
                                                        {x - 11 - width, y + 18},
                                                        {x - width / 2, y - 26},
                                                        {x - width / 2, y + 34},
                                                        {x + 11, y - 26},
                                                        {x - 11 - width, y + 34}}};
  std::array<double, 2> best = places[0];
  for (const auto& [left, base] : places) {
    const Box box{left, base - 11, left + width, base + 3};
    const bool inside = box.x0 >= kLeft && box.x1 <= kWidth && box.y0 >= 0 && box.y1 <= kBottom;
    if (!inside || std::any_of(taken.begin(), taken.end(), [&](const Box& other) { return box.overlaps(other); }))
      continue;
    best = {left, base};
    break;
  }
  best[0] = std::clamp(best[0], kLeft + 2, std::max(kLeft + 2, kWidth - width));
  taken.push_back({best[0], best[1] - 11, best[0] + width, best[1] + 3});
  return fmt::format(R"(<text class="label {}" x="{:.1f}" y="{:.1f}">{}</text>)", class_of(point), best[0], best[1],
                     escape_html(label));
}

std::string describe(const ScatterPoint& point) {
  const auto& a = point.accuracy;
  const auto& t = point.mean_tokens;
  return fmt::format("{}: accuracy {} ({} to {}), {} tokens ({} to {})", point.label,
                     show_figure(a.estimate, Figure::percent), show_figure(a.low, Figure::percent),
                     show_figure(a.high, Figure::percent), show_figure(t.estimate, Figure::count),
                     show_figure(t.low, Figure::count), show_figure(t.high, Figure::count));
}

const ScatterPoint* only_of(const std::vector<ScatterPoint>& points, PointKind kind) {
  const auto is_kind = [kind](const ScatterPoint& point) { return point.kind == kind; };
  if (std::count_if(points.begin(), points.end(), is_kind) != 1) return nullptr;
  return &*std::find_if(points.begin(), points.end(), is_kind);
}

// Marks and error bars, which labels keep away from.
std::vector<Box> occupied(const Frame& frame, const std::vector<ScatterPoint>& points) {
  std::vector<Box> boxes;
  for (const auto& point : points) {
    const double x = frame.px(point.mean_tokens.estimate), y = frame.py(point.accuracy.estimate);
    const Box reach = reach_of(frame, point);
    boxes.push_back({x - kRadius, y - kRadius, x + kRadius, y + kRadius});
    boxes.push_back({reach.x0, y - 1, reach.x1, y + 1});
    boxes.push_back({x - 1, reach.y0, x + 1, reach.y1});
  }
  return boxes;
}

}  // namespace

std::string render_scatter_chart(const std::vector<ScatterPoint>& all) {
  std::vector<ScatterPoint> points;
  std::copy_if(all.begin(), all.end(), std::back_inserter(points), drawable);
  const Frame frame{axis_over(points, &ScatterPoint::mean_tokens, Figure::count),
                    axis_over(points, &ScatterPoint::accuracy, Figure::percent)};
  std::string svg = fmt::format(
      R"(<svg class="chart scatter" viewBox="0 0 {} {}" role="img" aria-label="Accuracy against mean tokens">)", kWidth,
      kHeight);
  svg += axes(frame);
  const ScatterPoint* before = only_of(points, PointKind::before);
  const ScatterPoint* after = only_of(points, PointKind::after);
  if (before != nullptr && after != nullptr) svg += arrow(frame, *before, *after);
  for (const auto& point : points) svg += bars(frame, point);
  for (const auto& point : points) {
    svg += fmt::format(R"(<circle class="point {}" r="{}" cx="{:.1f}" cy="{:.1f}"><title>{}</title></circle>)",
                       class_of(point), kRadius, frame.px(point.mean_tokens.estimate),
                       frame.py(point.accuracy.estimate), escape_html(describe(point)));
  }
  auto taken = occupied(frame, points);
  for (const auto& point : points) svg += place_label(frame, point, taken);
  return svg + "</svg>";
}

}  // namespace laconic::metrics

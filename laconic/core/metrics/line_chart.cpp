#include "laconic/core/metrics/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "laconic/core/metrics/console_style.h"
#include "laconic/core/metrics/html.h"
#include "laconic/core/metrics/trend.h"

namespace laconic::metrics {
namespace {

constexpr double kWidth = 380;
constexpr double kHeight = 200;
constexpr double kRight = 368;
constexpr double kTop = 10;
constexpr double kBottom = 172;
constexpr double kLetter = 7.2;  // the width of a digit of a tick label
constexpr size_t kPieces = 300;

struct Frame {
  double left;
  Axis x;
  Axis y;
  double px(double step) const { return left + x.place(step) * (kRight - left); }
  double py(double value) const { return kBottom - y.place(value) * (kBottom - kTop); }
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

Axis value_axis(const LineChart& chart) {
  Range all, positive;
  for (const auto& run : chart.runs) {
    for (const double value : run.series->values) {
      if (!is_drawable(value)) continue;
      all.add(value);
      if (value > 0.0) positive.add(value);
    }
  }
  if (all.empty()) all.add(0.0);
  const AxisOptions options{.figure = chart.figure, .ticks = 5, .logarithmic = chart.logarithmic};
  if (chart.logarithmic && !positive.empty() && all.low == 0.0) {
    Axis axis = make_axis(positive.low, positive.high, options);
    if (axis.logarithmic) return axis;
  }
  return make_axis(all.low, all.high, options);
}

Axis step_axis(const LineChart& chart) {
  Range steps;
  if (chart.steps) {
    steps.add(static_cast<double>(chart.steps->first));
    steps.add(static_cast<double>(chart.steps->second));
  }
  for (const auto& run : chart.runs) {
    if (run.series->steps.empty()) continue;
    steps.add(static_cast<double>(run.series->steps.front()));
    steps.add(static_cast<double>(run.series->steps.back()));
  }
  if (steps.empty()) steps.add(0.0);
  return make_axis(steps.low, steps.high, {.figure = Figure::count, .ticks = 5, .whole = true, .exact = true});
}

Frame frame_of(const LineChart& chart) {
  Frame frame{0.0, step_axis(chart), value_axis(chart)};
  int letters = 0;
  for (const Tick& tick : frame.y.ticks) letters = std::max(letters, display_width(tick.label));
  frame.left = std::clamp(10.0 + kLetter * letters, 46.0, 120.0);
  return frame;
}

std::string axes(const Frame& frame) {
  std::string svg;
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.py(tick.value);
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", frame.left, kRight, y, y);
    svg += fmt::format(R"(<text class="tick" text-anchor="end" x="{:.1f}" y="{:.1f}">{}</text>)", frame.left - 7,
                       y + 3.8, tick.label);
  }
  for (const Tick& tick : frame.x.ticks) {
    svg += fmt::format(R"(<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>)", frame.px(tick.value),
                       kBottom + 18, tick.label);
  }
  return svg;
}

// Places to draw: all of a short series; of a long one the places of the extremes of each piece. A piece without a
// drawable value leaves one place, which breaks the line.
std::vector<size_t> thinned(const std::vector<double>& values) {
  std::vector<size_t> places;
  const size_t size = values.size() <= 2 * kPieces ? 1 : (values.size() + kPieces - 1) / kPieces;
  for (size_t begin = 0; begin < values.size(); begin += size) {
    const size_t end = std::min(begin + size, values.size());
    size_t low = begin;
    size_t high = begin;
    for (size_t i = begin; i < end; ++i) {
      if (!is_drawable(values[i])) continue;
      if (!is_drawable(values[low]) || values[i] < values[low]) low = i;
      if (!is_drawable(values[high]) || values[i] > values[high]) high = i;
    }
    places.push_back(std::min(low, high));
    if (high != low) places.push_back(std::max(low, high));
  }
  return places;
}

// "M1 2L3 4": consecutive places; one that is not drawable lifts the pen.
class Path {
 public:
  explicit Path(const Frame& frame) : frame_(frame) {}
  void add(double step, double value) {
    const bool draw = is_drawable(value);
    if (draw) text_ += fmt::format("{}{:.1f} {:.1f}", pen_down_ ? 'L' : 'M', frame_.px(step), frame_.py(value));
    if (draw && !pen_down_) text_ += "h0";  // a value alone between two that are missing shows as a dot
    pen_down_ = draw;
  }
  std::string element(const char* name, size_t color) const {
    return fmt::format(R"(<path class="{} s{}" d="{}"/>)", name, color, text_);
  }

 private:
  const Frame& frame_;
  std::string text_;
  bool pen_down_ = false;
};

// Small marks at the lower edge where a value is missing; marks closer than a pixel are one.
std::string lost_marks(const Frame& frame, const Series& series) {
  std::string svg;
  double last = -1.0;
  for (size_t i = 0; i < series.values.size(); ++i) {
    const double x = frame.px(static_cast<double>(series.steps[i]));
    if (is_drawable(series.values[i]) || x - last < 1.0) continue;
    last = x;
    svg += fmt::format(R"(<path class="lost" d="M{:.1f} {}v-7"/>)", x, kBottom);
  }
  return svg;
}

std::string run_marks(const Frame& frame, const LineChart& chart, const LineChartRun& run,
                      const std::vector<TrendPoint>& trend) {
  const Series& series = *run.series;
  const size_t color = run.color % kRunColors;
  std::string svg;
  if (series.values.size() >= chart.fewest_smoothed) {
    Path raw(frame);
    for (const size_t i : thinned(series.values)) raw.add(static_cast<double>(series.steps[i]), series.values[i]);
    svg += raw.element("raw", color);
  } else {
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (!is_drawable(series.values[i])) continue;
      svg += fmt::format(R"(<circle class="dot s{}" r="2.6" cx="{:.1f}" cy="{:.1f}"/>)", color,
                         frame.px(static_cast<double>(series.steps[i])), frame.py(series.values[i]));
    }
  }
  Path line(frame);
  for (const auto& point : trend) line.add(point.middle(), point.value);
  return svg + line.element("line", color) + lost_marks(frame, series);
}

// What the pointer shows for one place: "0.714 (trend 0.702)", "0.61 to 0.83 (trend 0.702)" or, unsmoothed, "0.714".
std::string pointer_text(const TrendPoint& point, bool smoothed, Figure figure) {
  const std::string low = show_figure(point.low, figure);
  const std::string high = show_figure(point.high, figure);
  std::string values = low == high ? low : low + " to " + high;
  // On a logarithmic axis a zero has no trend.
  if (!smoothed || !is_drawable(point.value)) return values;
  return fmt::format("{} (trend {})", values, show_figure(point.value, figure));
}

// One run as [color, [[steps, text, x, y], ...]] with its quotes escaped for an attribute. All texts are figures; the
// label is taken from the legend by the script, so that none of it has to be made safe here.
std::string pointer_data(const Frame& frame, const LineChart& chart, const LineChartRun& run,
                         const std::vector<TrendPoint>& trend) {
  std::string points;
  const bool smoothed = run.series->values.size() >= chart.fewest_smoothed;
  for (const auto& point : trend) {
    if (!is_drawable(point.low)) continue;
    const double y = frame.py(is_drawable(point.value) ? point.value : point.low);
    const std::string steps = point.first_step == point.last_step
                                  ? fmt::format("step {}", point.first_step)
                                  : fmt::format("steps {} to {}", point.first_step, point.last_step);
    points += fmt::format("{}[&quot;{}&quot;,&quot;{}&quot;,{:.1f},{:.1f}]", points.empty() ? "" : ",", steps,
                          pointer_text(point, smoothed, chart.figure), frame.px(point.middle()), y);
  }
  return fmt::format("[{},[{}]]", run.color, points);
}

}  // namespace

std::string render_line_chart(const LineChart& chart) {
  const Frame frame = frame_of(chart);
  std::string marks, pointer;
  for (const auto& run : chart.runs) {
    const auto trend = trend_of(*run.series, frame.y.logarithmic, chart.fewest_smoothed);
    marks += run_marks(frame, chart, run, trend);
    pointer += (pointer.empty() ? "" : ",") + pointer_data(frame, chart, run, trend);
  }
  return fmt::format(R"(<svg class="chart" viewBox="0 0 {0} {1}" role="img" aria-label="{2}" data-points="[{3}]">)"
                     R"({4}{5}<line class="cursor" y1="{6}" y2="{7}" x1="0" x2="0"/></svg>)",
                     kWidth, kHeight, escape_html(chart.title), pointer, axes(frame), marks, kTop, kBottom);
}

size_t count_left_out(const LineChart& chart) {
  size_t count = 0;
  for (const auto& run : chart.runs) {
    for (const double value : run.series->values) count += is_drawable(value) ? 0 : 1;
  }
  return count;
}

std::string last_figure(const LineChart& chart, const LineChartRun& run) {
  const auto trend = trend_of(*run.series, value_axis(chart).logarithmic, chart.fewest_smoothed);
  const auto last =
      std::find_if(trend.rbegin(), trend.rend(), [](const TrendPoint& p) { return is_drawable(p.value); });
  return last == trend.rend() ? "" : show_figure(last->value, chart.figure);
}

}  // namespace laconic::metrics

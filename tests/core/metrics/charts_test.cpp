#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "laconic/core/base/strings.h"
#include "laconic/core/metrics/line_chart.h"
#include "laconic/core/metrics/scatter_chart.h"
#include "tests/core/metrics/html_check.h"

namespace laconic::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Series series_of(std::vector<double> values) {
  Series series{"x", {}, std::move(values)};
  for (size_t i = 0; i < series.values.size(); ++i) series.steps.push_back(static_cast<int64_t>(i) + 1);
  return series;
}

LineChart chart_of(const Series& series, bool logarithmic = false) {
  LineChart chart;
  chart.title = "A \"title\" <b>";
  chart.logarithmic = logarithmic;
  chart.runs = {{.series = &series, .color = 0}};
  return chart;
}

// What the page's script reads.
nlohmann::json pointer_data(const std::string& svg) {
  const std::string key = "data-points=\"";
  const size_t begin = svg.find(key) + key.size();
  std::string data = svg.substr(begin, svg.find('"', begin) - begin);
  for (size_t at = data.find("&quot;"); at != std::string::npos; at = data.find("&quot;")) data.replace(at, 6, "\"");
  return nlohmann::json::parse(data);
}

void expect_within_the_picture(const std::string& svg) {
  EXPECT_EQ(markup_mistake(svg), "");
  EXPECT_THAT(svg, Not(testing::ContainsRegex("nan|inf")));
  const std::regex place("[ML]([-0-9.]+) ([-0-9.]+)");
  for (std::sregex_iterator at(svg.begin(), svg.end(), place), end; at != end; ++at) {
    EXPECT_GE(std::stod((*at)[1]), 0.0);
    EXPECT_LE(std::stod((*at)[1]), 380.0);
    EXPECT_GE(std::stod((*at)[2]), 0.0);
    EXPECT_LE(std::stod((*at)[2]), 200.0);
  }
}

TEST(LineChart, DrawsEveryKindOfSeries) {
  std::vector<double> falling, with_zeros;
  for (int i = 0; i < 80; ++i) {
    falling.push_back(std::pow(10.0, -0.1 * i));
    with_zeros.push_back(i % 9 == 0 ? 0.0 : std::pow(10.0, -0.1 * i));
  }
  const std::vector<std::vector<double>> kinds = {{},
                                                  {0.5},
                                                  {kNaN},
                                                  {kNaN, kInfinity, -kInfinity},
                                                  {0, 0, 0},
                                                  {3, 3, 3, 3},
                                                  {-1, -5, -2},
                                                  {1e300, -1e300, 1e301},
                                                  {1e-300, 3e-300},
                                                  {1, kNaN, 2, kNaN, 3},
                                                  std::vector<double>(40, kNaN),
                                                  std::vector<double>(40, 1e300),
                                                  falling,
                                                  with_zeros};
  for (const auto& values : kinds) {
    const Series series = series_of(values);
    for (const bool logarithmic : {false, true}) {
      const LineChart chart = chart_of(series, logarithmic);
      const std::string svg = render_line_chart(chart);
      expect_within_the_picture(svg);
      EXPECT_LE(pointer_data(svg).at(0).at(1).size(), values.size());
      const auto drawable = [](double v) { return std::isfinite(v) && std::fabs(v) <= 1e300; };
      const auto lost = std::count_if(values.begin(), values.end(), [&](double v) { return !drawable(v); });
      EXPECT_EQ(count_left_out(chart), static_cast<size_t>(lost));
      EXPECT_EQ(svg.find("class=\"lost\"") != std::string::npos, lost > 0);
    }
  }
}

TEST(LineChart, AMissingValueBreaksTheLine) {
  const Series series = series_of({1, 2, kNaN, 3, kNaN, 4});
  const std::string svg = render_line_chart(chart_of(series));
  const std::string key = "class=\"line s0\" d=\"";
  const std::string line = svg.substr(svg.find(key) + key.size());
  EXPECT_EQ(count_of(line.substr(0, line.find('"')), "M"), 3U);
  EXPECT_EQ(count_of(svg, "class=\"dot s0\""), 4U);
}

TEST(LineChart, ThinsLongSeriesAndKeepsTheirExtremes) {
  std::vector<double> values(100000);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = i == 54321 ? 50.0 : i % 97 == 0 ? kNaN : 0.01 * static_cast<double>(i % 100);
  const Series series = series_of(values);
  const std::string svg = render_line_chart(chart_of(series));
  expect_within_the_picture(svg);
  const std::string key = "class=\"raw s0\" d=\"";
  const std::string raw = svg.substr(svg.find(key) + key.size());
  const std::string path = raw.substr(0, raw.find('"'));
  EXPECT_LE(count_of(path, "L") + count_of(path, "M"), 1000U);
  EXPECT_THAT(path, HasSubstr(" 10.0L")) << "the one value of 50 lies at the upper edge";
  EXPECT_LE(pointer_data(svg).at(0).at(1).size(), 300U);
  EXPECT_LT(svg.size(), 60000U);
  EXPECT_EQ(count_of(path, "M"), 1U) << "a piece with a few missing values does not break the line";
}

TEST(LineChart, ThePointerShowsValueAndTrend) {
  const Series few = series_of({0.25, 0.5});
  auto points = pointer_data(render_line_chart(chart_of(few))).at(0).at(1);
  EXPECT_EQ(points.at(0).at(0), "step 1");
  EXPECT_EQ(points.at(0).at(1), "0.250");
  std::vector<double> values(600);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 2);
  const Series many = series_of(values);
  points = pointer_data(render_line_chart(chart_of(many))).at(0).at(1);
  EXPECT_EQ(points.at(1).at(0), "steps 3 to 4");
  EXPECT_EQ(points.at(1).at(1), "0 to 1.00 (trend 0.500)");
}

TEST(LineChart, ZerosLieAtTheFoot) {
  const Series series = series_of({0, 1e-7, 1e-5, 1e-3});
  LineChart chart = chart_of(series, true);
  const std::string svg = render_line_chart(chart);
  EXPECT_THAT(svg, HasSubstr("10⁻⁷"));
  EXPECT_THAT(svg, HasSubstr("cx=\"46.0\" cy=\"172.0\""));
  EXPECT_EQ(pointer_data(svg).at(0).at(1).at(0).dump(), R"(["step 1","0",46.0,172.0])");
  EXPECT_EQ(last_figure(chart, chart.runs[0]), "0.00100");
}

TEST(LineChart, SharesTheStepsItIsGiven) {
  const Series series = series_of({1, 2});
  LineChart chart = chart_of(series);
  chart.steps = {{0, 100}};
  EXPECT_THAT(render_line_chart(chart), HasSubstr(">80<"));
}

ScatterPoint point(const std::string& label, double accuracy, double tokens, PointKind kind) {
  return {label, {accuracy, accuracy - 0.02, accuracy + 0.02}, {tokens, tokens - 2, tokens + 2}, kind};
}

TEST(ScatterChart, ShowsPointsBarsLabelsAndTheWay) {
  const auto svg =
      render_scatter_chart({point("base", 0.72, 50, PointKind::before), point("mine", 0.96, 19, PointKind::after),
                            point("<other> & \xff", 0.9, 30, PointKind::other)});
  EXPECT_EQ(markup_mistake(svg), "");
  EXPECT_EQ(count_of(svg, "<circle"), 3U);
  EXPECT_EQ(count_of(svg, "class=\"bar"), 3U);
  EXPECT_EQ(count_of(svg, "class=\"arrow\""), 1U);
  EXPECT_THAT(svg, HasSubstr("&lt;other&gt; &amp; \xef\xbf\xbd</text>"));
  EXPECT_THAT(svg, HasSubstr("mine: accuracy 96.0 % (94.0 % to 98.0 %), 19.0 tokens (17.0 to 21.0)"));
  EXPECT_THAT(svg, HasSubstr(">100 %<"));
  EXPECT_THAT(svg, Not(HasSubstr(">110 %<")));
}

TEST(ScatterChart, SurvivesWhatStatisticsCanReturn) {
  EXPECT_EQ(markup_mistake(render_scatter_chart({})), "");
  const std::vector<ScatterPoint> odd = {
      {"no estimate", {kNaN, 0, 1}, {1, 1, 1}, PointKind::before},
      {"one sample", {0.5, -kInfinity, kInfinity}, {20, -kInfinity, kInfinity}, PointKind::after},
      {"unknown ends", {0.5, kNaN, kNaN}, {20, kNaN, kNaN}, PointKind::other},
      {"huge", {0.5, 0.5, 0.5}, {1e300, -1e300, 1e300}, PointKind::other},
      {std::string(1000, 'x'), {0, 0, 0}, {0, 0, 0}, PointKind::other},
      {"", {1, 1, 1}, {0, 0, 0}, PointKind::other}};
  for (size_t count = 1; count <= odd.size(); ++count) {
    const auto svg = render_scatter_chart({odd.begin(), odd.begin() + static_cast<std::ptrdiff_t>(count)});
    EXPECT_EQ(markup_mistake(svg), "");
    EXPECT_THAT(svg, Not(testing::ContainsRegex("\"-?(nan|inf)|[HV](nan|inf)")));
    EXPECT_EQ(count_of(svg, "<circle"), count - 1);
    EXPECT_LT(svg.size(), 12000U);
  }
}

}  // namespace
}  // namespace laconic::metrics

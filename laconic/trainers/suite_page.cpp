#include "laconic/trainers/suite_page.h"

#include <algorithm>

#include "laconic/core/metrics/html.h"
#include "laconic/core/metrics/line_chart.h"
#include "laconic/core/metrics/report_page.h"
#include "laconic/core/metrics/scatter_chart.h"
#include "laconic/trainers/suite_table.h"

namespace laconic::trainers {
namespace {

using metrics::escape_html;
using metrics::Figure;

std::string table_card(const SuiteBaseResult& result) {
  const auto table = suite_table(result);
  std::string html = R"(<div class="card wide"><table><tr>)";
  for (const auto& column : table.columns) html += "<th>" + escape_html(column) + "</th>";
  html += "</tr>";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const auto& cell : row) html += "<td>" + escape_html(cell) + "</td>";
    html += "</tr>";
  }
  return html + "</table></div>";
}

metrics::ScatterPoint point_of(const SuiteRow& row, size_t color) {
  metrics::ScatterPoint point;
  point.label = row.method.empty() ? "base" : row.method;
  point.accuracy = row.accuracy.both;
  point.mean_tokens = row.tokens.both;
  point.kind = row.method.empty() ? metrics::PointKind::before : metrics::PointKind::other;
  point.color = color;
  return point;
}

std::string figure_card(const std::string& title, const std::vector<metrics::ScatterPoint>& points) {
  return R"(<div class="card figure"><h3>)" + escape_html(title) + "</h3>" + metrics::render_scatter_chart(points) +
         "</div>";
}

// All methods; and where several end close to the shortest, those alone.
std::string figures(const SuiteBaseResult& result) {
  std::vector<metrics::ScatterPoint> all, short_ones;
  double shortest = result.before.tokens.mean;
  for (const auto& row : result.rows) shortest = std::min(shortest, row.tokens.mean);
  for (size_t i = 0; i < result.rows.size(); ++i) {
    auto point = point_of(result.rows[i], i);
    if (result.rows[i].tokens.mean <= 1.25 * shortest) short_ones.push_back(point);
    all.push_back(std::move(point));
  }
  all.push_back(point_of(result.before, 0));
  std::string html = R"(<div class="figures">)" + figure_card("Accuracy against tokens", all);
  if (short_ones.size() > 1 && short_ones.size() < all.size()) html += figure_card("The shortest of them", short_ones);
  return html + "</div>";
}

struct CurveView {
  const char* title;
  const char* metric;
  Figure figure;
  metrics::Series SuiteCurve::*series;
  const char* unit;
  bool held_out;  // few values, each of many answers: drawn as they are
};

// More evaluations of a run than anyone makes.
constexpr size_t kMostHeldOutPoints = 200;

std::string curve_card(const CurveView& view, const std::vector<const SuiteRow*>& family) {
  metrics::LineChart chart;
  chart.title = view.title;
  chart.figure = view.figure;
  if (view.held_out) chart.fewest_smoothed = kMostHeldOutPoints;
  for (size_t i = 0; i < family.size(); ++i) {
    const auto* curve = find_curve(*family[i], view.metric);
    if (curve == nullptr) continue;
    const auto& series = curve->*view.series;
    if (!series.steps.empty()) chart.runs.push_back({&series, i});
  }
  if (chart.runs.empty()) return "";
  return fmt::format(R"(<div class="card curve"><div class="head"><h3>{}</h3><span class="unit">{}</span></div>)",
                     escape_html(view.title), escape_html(view.unit)) +
         metrics::render_line_chart(chart) + "</div>";
}

// Curves of a few methods beside the one that all are compared with.
std::string family_section(const std::string& base, const std::vector<const SuiteRow*>& family) {
  constexpr auto kBySteps = &SuiteCurve::by_step;
  constexpr auto kByTokens = &SuiteCurve::by_tokens;
  const std::vector<CurveView> views = {
      {"Held-out accuracy", kHeldOutAccuracy, Figure::percent, kBySteps, "over steps", true},
      {"Held-out tokens", kHeldOutTokens, Figure::count, kBySteps, "over steps", true},
      {"Rollout accuracy", kRolloutAccuracy, Figure::percent, kBySteps, "over steps", false},
      {"Rollout tokens", kRolloutTokens, Figure::count, kBySteps, "over steps", false},
      {"Held-out accuracy", kHeldOutAccuracy, Figure::percent, kByTokens, "over k tokens", true},
      {"Held-out tokens", kHeldOutTokens, Figure::count, kByTokens, "over k tokens", true}};
  std::string cards, legend;
  for (const auto& view : views) cards += curve_card(view, family);
  if (cards.empty()) return "";
  for (size_t i = 0; i < family.size(); ++i)
    legend += fmt::format(R"(<span class="s{}"><i></i>{}</span>)", i, escape_html(family[i]->method));
  return "<section><h2>Training on base " + escape_html(base) + "</h2><div class=\"legend\">" + legend +
         "</div><div class=\"curves\">" + cards + "</div></section>";
}

std::string curves(const SuiteBaseResult& result) {
  const size_t others = metrics::kRunColors - 1;
  std::string html;
  for (size_t begin = 1; begin < std::max<size_t>(2, result.rows.size()); begin += others) {
    std::vector<const SuiteRow*> family = {&result.rows.front()};
    for (size_t i = begin; i < std::min(begin + others, result.rows.size()); ++i) family.push_back(&result.rows[i]);
    html += family_section(result.base, family);
  }
  return html;
}

std::string failures(const SuiteResults& results) {
  if (results.failures.empty()) return "";
  std::string html = fmt::format("<section><h2>{} failed</h2><ul class=\"notes\">", results.failures.size());
  for (const auto& failure : results.failures)
    html += "<li><b>" + escape_html(failure.what) + "</b>: " + escape_html(failure.reason) + "</li>";
  return html + "</ul></section>";
}

}  // namespace

std::string render_suite_page(const SuitePlan& plan, const SuiteResults& results, const std::string& command) {
  std::string body;
  for (const auto& result : results.bases) {
    body += "<section><h2>Base " + escape_html(result.base) + "</h2><p class=\"about\">" +
            escape_html(suite_measurement(result)) + "</p>" + table_card(result);
    if (!result.rows.empty()) body += figures(result);
    body += "</section>";
  }
  for (const auto& result : results.bases) {
    if (!result.rows.empty()) body += curves(result);
  }
  body += failures(results);
  body += "<section><h2>How to repeat it</h2><pre>" + escape_html(command) + "</pre></section>";
  return metrics::render_page(plan.settings.title, plan.settings.about, body);
}

}  // namespace laconic::trainers

#include "laconic/core/metrics/report_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "laconic/core/metrics/html.h"

namespace laconic::metrics {
namespace {

// "18.6 to 20.0", "94.3 to 97.4 %"; nothing where an end is unknown or unbounded.
std::string limits(const Interval& interval, Figure figure) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "no interval";
  std::string low = show_figure(interval.low, figure);
  if (low.ends_with(" %")) low.resize(low.size() - 2);
  return low + " to " + show_figure(interval.high, figure);
}

// One interval on a common track: a thick range with a dot at the estimate.
std::string range_row(const char* name, const Interval& interval, double low, double high, Figure figure) {
  const auto place = [&](double value) {
    return high > low ? 100.0 * std::clamp((value - low) / (high - low), 0.0, 1.0) : 50.0;
  };
  std::string marks;
  if (!std::isnan(interval.low) && !std::isnan(interval.high)) {
    marks += fmt::format(R"(<line class="range" x1="{:.2f}%" x2="{:.2f}%" y1="7" y2="7"/>)", place(interval.low),
                         place(interval.high));
  }
  if (!std::isnan(interval.estimate))
    marks += fmt::format(R"(<circle class="dot" r="5" cx="{:.2f}%" cy="7"/>)", place(interval.estimate));
  return fmt::format(
      R"(<span>{0}</span><svg class="{0}" aria-hidden="true"><line class="track" x1="0" x2="100%" y1="7" y2="7"/>{1}</svg>)"
      R"(<span class="limits">{2}</span>)",
      name, marks, limits(interval, figure));
}

std::string ranges(const std::optional<Interval>& before, const std::optional<Interval>& after, Figure figure) {
  double low = 0.0;
  double high = figure == Figure::percent ? 1.0 : 0.0;
  for (const auto& interval : {before, after}) {
    if (!interval) continue;
    for (const double value : {interval->estimate, interval->low, interval->high}) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  std::string html = "<div class=\"ranges\">";
  if (before) html += range_row("before", *before, low, high, figure);
  if (after) html += range_row("after", *after, low, high, figure);
  return html + "</div>";
}

// "+14.2 points" for accuracy, "-52 %" for tokens; green where it is what training is for.
std::string change(double before, double after, Figure figure) {
  if (!std::isfinite(before) || !std::isfinite(after)) return "";
  const bool accuracy = figure == Figure::percent;
  if (!accuracy && before == 0.0) return "";
  const double amount = accuracy ? 100.0 * (after - before) : 100.0 * (after - before) / before;
  const double shown = std::round(amount * 10.0) / 10.0;
  const char* verdict = shown == 0.0 ? "same" : (shown > 0.0) == accuracy ? "better" : "worse";
  const char* sign = shown > 0.0 ? "+" : shown < 0.0 ? "\u2212" : "\u00b1";
  return fmt::format(R"(<span class="change {}">{}{:.1f} {}</span>)", verdict, sign, std::fabs(shown),
                     accuracy ? "points" : "%");
}

std::string stat_card(const char* name, const std::optional<Interval>& before, const std::optional<Interval>& after,
                      Figure figure) {
  std::string html = fmt::format(R"(<div class="card stat"><div><div class="name">{}</div><div class="values">)", name);
  if (before && after) {
    html += fmt::format(R"(<span class="was">{}</span><span class="to" aria-label="to">→</span>)",
                        show_figure(before->estimate, figure));
  }
  html += fmt::format(R"(<span class="{}">{}</span>)", after ? "now" : "now only",
                      show_figure((after ? after : before)->estimate, figure));
  if (before && after) html += change(before->estimate, after->estimate, figure);
  return html + "</div></div>" + ranges(before, after, figure) + "</div>";
}

std::string stat_cards(const ReportInput& input) {
  const auto part = [](const std::optional<Outcome>& outcome, Interval Outcome::*member) {
    return outcome ? std::optional<Interval>((*outcome).*member) : std::nullopt;
  };
  return "<div class=\"stats\">" +
         stat_card("Accuracy", part(input.before, &Outcome::accuracy), part(input.after, &Outcome::accuracy),
                   Figure::percent) +
         stat_card("Mean tokens per completion", part(input.before, &Outcome::mean_tokens),
                   part(input.after, &Outcome::mean_tokens), Figure::count) +
         "</div>";
}

std::string cell(const Interval& interval, Figure figure) {
  return fmt::format(R"(<td><b>{}</b> <span class="limits">{}</span></td>)", show_figure(interval.estimate, figure),
                     limits(interval, figure));
}

std::string point_table(const std::vector<ScatterPoint>& points) {
  std::string html = R"(<div class="card points"><table><tr><th></th><th>Accuracy</th><th>Mean tokens</th></tr>)";
  for (const auto& point : points) {
    html += "<tr><td>" + escape_html(point.label) + "</td>" + cell(point.accuracy, Figure::percent) +
            cell(point.mean_tokens, Figure::count) + "</tr>";
  }
  return html + "</table></div>";
}

std::vector<ScatterPoint> points_of(const ReportInput& input) {
  if (!input.points.empty()) return input.points;
  std::vector<ScatterPoint> points;
  if (input.before) points.push_back({"before", input.before->accuracy, input.before->mean_tokens, PointKind::before});
  if (input.after) points.push_back({"after", input.after->accuracy, input.after->mean_tokens, PointKind::after});
  return points;
}

}  // namespace

std::string render_outcome(const ReportInput& input) {
  const auto points = points_of(input);
  const bool cards = input.before || input.after;
  if (!cards && points.empty()) return "";
  std::string html = "<section><h2>Result</h2><p class=\"about\">";
  if (!input.evaluation.empty()) html += escape_html(input.evaluation) + ". ";
  html += "Ranges are 95 % confidence intervals.</p><div class=\"result\">";
  html += cards ? stat_cards(input) : point_table(points);
  html += "<div class=\"card figure\">" + render_scatter_chart(points) + "</div></div>";
  // Given points say more than the two cards.
  if (cards && !input.points.empty()) html += point_table(points);
  return html + "</section>";
}

}  // namespace laconic::metrics

#include "laconic/core/metrics/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "laconic/core/base/files.h"
#include "laconic/core/metrics/html.h"
#include "laconic/core/metrics/line_chart.h"
#include "laconic/core/metrics/report_outcome.h"
#include "laconic/core/metrics/report_page.h"
#include "laconic/core/metrics/report_samples.h"

namespace laconic::metrics {
namespace {

// A curve and what it shows, when a run has the metric.
struct Card {
  const CurveSpec* spec;
  LineChart chart;
};

LineChart chart_of(const CurveSpec& spec, const std::vector<ReportRun>& runs) {
  LineChart chart{
      .title = spec.title, .figure = spec.figure, .logarithmic = spec.logarithmic, .steps = std::nullopt, .runs = {}};
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const auto& name : spec.names) {
      const Series* series = runs[i].table.find(name);
      if (series == nullptr || series->values.empty()) continue;
      chart.runs.push_back({.series = series, .color = i});
      break;
    }
  }
  return chart;
}

std::vector<Card> cards_of(const ReportInput& input) {
  std::vector<Card> cards;
  for (const auto& spec : input.curves) {
    LineChart chart = chart_of(spec, input.runs);
    if (!chart.runs.empty()) cards.push_back({&spec, std::move(chart)});
  }
  return cards;
}

// One range of steps for all curves, so that what stands above each other happened at the same time.
void share_steps(std::vector<Card>& cards) {
  int64_t first = std::numeric_limits<int64_t>::max();
  int64_t last = std::numeric_limits<int64_t>::min();
  for (const auto& card : cards) {
    for (const auto& run : card.chart.runs) {
      first = std::min(first, run.series->steps.front());
      last = std::max(last, run.series->steps.back());
    }
  }
  for (auto& card : cards) card.chart.steps = {first, last};
}

std::string curve_card(const CurveSpec& spec, const LineChart& chart) {
  std::string html = fmt::format(
      R"(<div class="card curve"><div class="head"><h3>{}</h3><span class="unit">{}</span><span class="last">)",
      escape_html(spec.title), escape_html(spec.unit));
  for (const auto& run : chart.runs) {
    html += fmt::format(R"(<b class="s{}">{}</b>)", run.color % kRunColors, last_figure(chart, run));
  }
  html += "</span></div>" + render_line_chart(chart);
  if (const size_t lost = count_left_out(chart); lost > 0) {
    html += fmt::format(R"(<p class="warn">{} non-finite value{} left out</p>)", lost, lost == 1 ? "" : "s");
  }
  return html + "</div>";
}

std::string curves(const ReportInput& input) {
  auto cards = cards_of(input);
  if (cards.empty()) return "";
  share_steps(cards);
  std::string html =
      "<section><h2>Training</h2><p class=\"about\">Over the steps of the run: each step faint, its trend bold; the "
      "figure is where the trend ends.</p>";
  if (input.runs.size() > 1) {
    html += "<div class=\"legend\">";
    for (size_t i = 0; i < input.runs.size(); ++i) {
      html += fmt::format(R"(<span class="s{}"><i></i>{}</span>)", i % kRunColors, escape_html(input.runs[i].label));
    }
    html += "</div>";
  }
  html += "<div class=\"curves\">";
  for (const auto& card : cards) html += curve_card(*card.spec, card.chart);
  return html + "</div></section>";
}

std::string notes(const ReportInput& input) {
  std::string items;
  for (const auto& note : input.notes) items += "<li>" + escape_html(note) + "</li>";
  for (const auto& run : input.runs) {
    for (const auto& note : run.table.notes) {
      items += "<li>" + escape_html(input.runs.size() > 1 ? run.label + ": " + note : note) + "</li>";
    }
  }
  return items.empty() ? "" : "<section><h2>Notes</h2><ul class=\"notes\">" + items + "</ul></section>";
}

std::string details(const ReportInput& input) {
  if (input.command.empty() && input.config_yaml.empty() && input.versions.empty()) return "";
  std::string html = "<section><h2>How to repeat it</h2>";
  if (!input.command.empty()) html += "<pre>" + escape_html(input.command) + "</pre>";
  if (!input.versions.empty()) {
    html += "<details class=\"card\"><summary>Versions</summary><table>";
    for (const auto& [name, version] : input.versions) {
      html += "<tr><td>" + escape_html(name) + "</td><td>" + escape_html(version) + "</td></tr>";
    }
    html += "</table></details>";
  }
  if (!input.config_yaml.empty()) {
    html += "<details class=\"card\"><summary>Effective configuration</summary><pre>" + escape_html(input.config_yaml) +
            "</pre></details>";
  }
  return html + "</section>";
}

}  // namespace

std::vector<CurveSpec> default_curves() {
  using enum Figure;
  return {
      {"Reward", {"reward/mean"}, number, false, ""},
      {"Accuracy", {"reward/accuracy", "train/accuracy"}, percent, false, "rollouts"},
      {"Completion length", {"completion/mean_tokens"}, count, false, "tokens"},
      {"Cut off", {"completion/truncated"}, percent, false, "at the token limit"},
      {"Held-out accuracy", {"eval/accuracy"}, percent, false, ""},
      {"Held-out length", {"eval/mean_tokens"}, count, false, "tokens"},
      {"KL", {"kl/mean"}, number, false, "nats/token"},
      {"Entropy", {"entropy/mean"}, number, false, "nats/token"},
      {"Mismatch", {"mismatch/max"}, number, true, "max logprob gap"},
      {"Loss", {"loss/policy", "loss/train"}, number, false, ""},
      {"Evaluation loss", {"loss/eval"}, number, false, "nats/token"},
      {"Gradient norm", {"optim/grad_norm"}, number, true, ""},
      {"Throughput", {"throughput/tokens_per_s"}, count, false, "tokens/s"},
      {"Step time", {"time/step_s"}, number, false, "s"},
  };
}

std::string render_report(const ReportInput& input) {
  return render_page(
      input.title, input.subtitle,
      render_outcome(input) + curves(input) + render_samples(input.samples) + notes(input) + details(input));
}

void write_report(const std::filesystem::path& path, const ReportInput& input) {
  write_file_atomic(path, render_report(input));
}

}  // namespace laconic::metrics

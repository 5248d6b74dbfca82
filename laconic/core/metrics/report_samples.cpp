#include "laconic/core/metrics/report_samples.h"

#include <fmt/format.h>

#include "laconic/core/metrics/html.h"

namespace laconic::metrics {
namespace {

std::string shown(const std::string& text) {
  return escape_html(without_middle(text, kMostTextBytes));
}

std::string answer(const char* name, const ReportAnswer& side) {
  const char* mark = "";
  if (side.correct) {
    mark =
        *side.correct ? R"(<span class="mark better">✓ correct</span>)" : R"(<span class="mark worse">✗ wrong</span>)";
  }
  return fmt::format(
      R"(<div class="side {0}"><div class="head"><b>{0}</b>{1}<span class="tokens">{2} token{3}</span></div>)"
      R"(<pre>{4}</pre></div>)",
      name, mark, side.tokens, side.tokens == 1 ? "" : "s", shown(side.text));
}

std::string card(const ReportSample& sample) {
  std::string html = "<div class=\"card sample\"><div class=\"prompt\">" + shown(sample.prompt) + "</div>";
  if (!sample.reference.empty()) html += "<div class=\"reference\">expected: " + shown(sample.reference) + "</div>";
  html += "<div class=\"sides\">";
  if (sample.before) html += answer("before", *sample.before);
  if (sample.after) html += answer("after", *sample.after);
  return html + "</div></div>";
}

}  // namespace

std::string render_samples(const std::vector<ReportSample>& samples) {
  if (samples.empty()) return "";
  std::string html =
      "<section><h2>Samples</h2><p class=\"about\">Held-out prompts, completions as they were drawn.</p>";
  for (const auto& sample : samples) html += card(sample);
  return html + "</section>";
}

}  // namespace laconic::metrics

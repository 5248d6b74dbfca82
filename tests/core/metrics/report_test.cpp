#include "laconic/core/metrics/report.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/metrics/html.h"
#include "laconic/core/metrics/run_folder.h"
#include "tests/core/metrics/html_check.h"
#include "tests/support/temporary_folder.h"

namespace laconic::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

void write_run(const std::filesystem::path& path, int64_t steps) {
  RunFolder run(path, {.tensorboard = false});
  run.write_config("seed: 7 # <b>\n");
  run.write_versions({{"laconic", "0.1.0"}, {"machine", {{"threads", 2}}}});
  for (int64_t step = 1; step <= steps; ++step) {
    MetricRow row(step);
    const double x = static_cast<double>(step);
    for (const auto& curve : default_curves()) row.set(curve.names.front(), curve.title == "Mismatch" ? 0.0 : 1.0 / x);
    run.log(row);
  }
}

// The page is whole: markup nests, it is UTF-8, and no address is in it that a browser would fetch.
void expect_sound(const std::string& html) {
  EXPECT_EQ(markup_mistake(html), "");
  EXPECT_EQ(first_invalid_utf8(html), std::string::npos);
  for (const char* outside : {"src=", "href=", "url(", "@import", "https:"}) EXPECT_THAT(html, Not(HasSubstr(outside)));
  EXPECT_EQ(count_of(html, "http:"), 1U) << "the name of the SVG namespace";
  EXPECT_EQ(count_of(html, "<script>"), 1U);
}

TEST(EscapeHtml, LeavesNothingThatMarkupCouldReadAsItsOwn) {
  EXPECT_EQ(escape_html("<a href='x'>&\"</a>\n\t"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;\n\t");
  EXPECT_EQ(escape_html(std::string("a\0b\x1b\x7f", 5)), "a\uFFFDb\uFFFD\uFFFD");
  EXPECT_EQ(escape_html("\xc3\xa9 \xe2\x82 \xff\xfe \xed\xa0\x80"), "é \uFFFD\uFFFD \uFFFD\uFFFD \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escape_html(std::string(100000, '\xff')).size(), 300000U);
}

TEST(WithoutMiddle, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(without_middle("short", 5), "short");
  EXPECT_EQ(without_middle("0123456789", 8), "012345\n[... 2 bytes are not shown ...]\n89");
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "é€😀";
  for (size_t most = 100; most < 112; ++most) {
    const std::string cut = without_middle(text, most);
    EXPECT_EQ(first_invalid_utf8(cut), std::string::npos) << most;
    EXPECT_LE(cut.size(), most + 50);
  }
  EXPECT_LE(without_middle(std::string(100000, '\x80'), 1000).size(), 1050U);
}

TEST(Report, ShowsARunFromItsFolder) {
  const TemporaryFolder folder;
  write_run(folder / "laser-s0", 80);
  ReportInput input = read_run_folders({folder.path() / "laser-s0" / ""});
  EXPECT_EQ(input.title, "laser-s0");
  EXPECT_THAT(input.notes, testing::IsEmpty());
  EXPECT_THAT(input.versions, ElementsAre(Pair("laconic", "0.1.0"), Pair("machine.threads", "2")));
  input.subtitle = "80 steps";
  input.evaluation = "600 held-out problems";
  input.before = Outcome{{0.723, 0.686, 0.757}, {50.1, 47.8, 52.4}};
  input.after = Outcome{{0.962, 0.943, 0.974}, {19.3, 18.6, 20.0}};
  input.samples = {{"5 + 2?", "7", ReportAnswer{"well, 8", false, 3}, ReportAnswer{"7", true, 1}}};
  input.command = "laconic train x.yaml";
  write_report(folder / "report.html", input);
  const std::string html = read_file(folder / "report.html");
  expect_sound(html);
  for (const char* part :
       {"72.3 %", "96.2 %", "+23.9 points", "94.3 to 97.4 %", "50.1", "19.3", "−61.5 %", "18.6 to 20.0",
        "600 held-out problems. ", "seed: 7 # &lt;b&gt;", "machine.threads", "laconic train x.yaml", "well, 8",
        "✗ wrong", "✓ correct", "3 tokens", "1 token<", "expected: 7"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
  for (const auto& curve : default_curves()) EXPECT_THAT(html, HasSubstr("<h3>" + curve.title + "</h3>"));
  EXPECT_EQ(count_of(html, "data-points="), default_curves().size());
  EXPECT_EQ(count_of(html, "class=\"legend\""), 0U);
  EXPECT_EQ(render_report(input), html) << "the same page each time";
}

TEST(Report, ComparesRunsAndPoints) {
  const TemporaryFolder folder;
  write_run(folder / "a", 20);
  write_run(folder / "b<i>", 30);
  ReportInput input = read_run_folders({folder / "a", folder / "b<i>"});
  input.points = {{"base", {0.7, 0.6, 0.8}, {50, 48, 52}, PointKind::before},
                  {"b<i>", {0.9, 0.8, 1.0}, {2000, 1900, 2100}, PointKind::other, 1}};
  const std::string html = render_report(input);
  expect_sound(html);
  EXPECT_THAT(html, HasSubstr("<span class=\"s1\"><i></i>b&lt;i&gt;</span>"));
  EXPECT_EQ(count_of(html, "class=\"line s1\""), default_curves().size());
  EXPECT_THAT(html,
              HasSubstr("<td>b&lt;i&gt;</td><td><b>90.0 %</b> <span class=\"limits\">80.0 to 100.0 %</span></td>"));
  EXPECT_THAT(html, HasSubstr("<b>2,000</b>"));
}

TEST(Report, IsSafeFromHostileTexts) {
  const std::string hostile = "</pre></title><script>alert(1)</script>\"' onload=x \xff\xfe\x01\xc3 {} {0} %s";
  ReportInput input;
  input.title = input.subtitle = input.evaluation = input.command = input.config_yaml = hostile;
  input.notes = {hostile};
  input.versions = {{hostile, hostile}};
  input.runs = {{hostile, {{{"m", {1, 2}, {1, 2}}}, {hostile}}}, {hostile, {}}};
  input.curves = {{hostile, {"m"}, Figure::number, false, hostile}};
  input.points = {{hostile, {0.5, 0.4, 0.6}, {10, 9, 11}}};
  input.before = Outcome{};
  std::string endless = hostile;
  while (endless.size() < 100000) endless += "x<b>\xf0\x9f\x98\x80";
  for (int i = 0; i < 20; ++i) {
    input.samples.push_back(
        {endless, hostile, ReportAnswer{endless, std::nullopt, 1 << 30}, ReportAnswer{endless, true, -1}});
  }
  const std::string html = render_report(input);
  expect_sound(html);
  EXPECT_THAT(html, HasSubstr("bytes are not shown ..."));
  EXPECT_LT(html.size(), 4'000'000U);
}

TEST(Report, StaysSmallForALongRun) {
  ReportInput input;
  input.title = "long";
  SeriesTable table;
  for (const auto& curve : default_curves()) {
    Series series{curve.names.front(), {}, {}};
    for (int64_t step = 0; step < 100000; ++step) {
      series.steps.push_back(step);
      series.values.push_back(std::sin(static_cast<double>(step) * 0.37) + 2.0);
    }
    table.series.push_back(std::move(series));
  }
  input.runs = {{"long", std::move(table)}};
  const std::string html = render_report(input);
  expect_sound(html);
  EXPECT_LT(html.size(), 60000U * default_curves().size());
}

TEST(Report, EmptyPartsHaveNoSection) {
  ReportInput input;
  input.title = "nothing";
  std::string html = render_report(input);
  expect_sound(html);
  EXPECT_EQ(count_of(html, "<section>"), 0U);
  input.runs = {{"empty", {{{"reward/mean", {}, {}}}, {}}}};
  EXPECT_EQ(count_of(render_report(input), "<section>"), 0U);
  input.runs = {{"one", {{{"reward/mean", {1}, {std::nan("")}}}, {}}}};
  html = render_report(input);
  expect_sound(html);
  EXPECT_THAT(html, HasSubstr("1 non-finite value left out"));
}

TEST(Report, OutcomesWithoutIntervalsOrOneSide) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double nan = std::nan("");
  ReportInput input;
  input.title = "odd";
  for (const Outcome& odd : {Outcome{{nan, 0, 1}, {nan, -kInfinity, kInfinity}}, Outcome{{nan, nan, nan}, {0, 0, 0}},
                             Outcome{{1, 1, 1}, {5, -kInfinity, kInfinity}}}) {
    input.before = odd;
    input.after = std::nullopt;
    expect_sound(render_report(input));
    EXPECT_THAT(render_report(input), Not(HasSubstr("class=\"change")));
    input.after = Outcome{{0.5, 0.4, 0.6}, {10, 9, 11}};
    const std::string html = render_report(input);
    expect_sound(html);
    EXPECT_THAT(html, HasSubstr("no interval"));
    EXPECT_THAT(html, Not(testing::ContainsRegex("\"-?(nan|inf)[%\"]")));
  }
}

TEST(Report, MissingFilesAreNotesAndBrokenOnesErrors) {
  const TemporaryFolder folder;
  write_run(folder / "run", 2);
  std::filesystem::remove(folder / "run/config.yaml");
  std::filesystem::remove(folder / "run/versions.json");
  std::filesystem::remove(folder / "run/timing.jsonl");
  const auto input = read_run_folders({folder / "run"});
  EXPECT_THAT(input.notes, ElementsAre("config.yaml is missing", "versions.json is missing"));
  EXPECT_THAT(render_report(input), HasSubstr("<li>config.yaml is missing</li>"));
  std::ofstream(folder / "run/versions.json") << "{";
  EXPECT_THROW(read_run_folders({folder / "run"}), Error);
  EXPECT_THROW(read_run_folders({folder / "absent"}), Error);
  EXPECT_THROW(read_run_folders({}), Error);
}

}  // namespace
}  // namespace laconic::metrics

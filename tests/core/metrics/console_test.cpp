#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "laconic/core/base/log.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/core/metrics/step_line.h"

namespace laconic::metrics {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A progress display with a clock set by hand, whose writes are collected.
struct Screen {
  double now = 0.0;
  std::vector<std::string> writes;

  ProgressOptions options(bool terminal, int width = 80) {
    ProgressOptions result;
    result.style = {.terminal = terminal, .color = false, .utf8 = false, .width = width};
    result.clock = [this] { return now; };
    result.write = [this](std::string_view text) { writes.emplace_back(text); };
    return result;
  }
};

TEST(Progress, AShortLoopShowsNothing) {
  for (const bool terminal : {false, true}) {
    Screen screen;
    {
      Progress progress("eval", 100, "prompts", screen.options(terminal));
      for (int i = 1; i <= 100; ++i) {
        screen.now = 0.019 * i;
        progress.update(i);
      }
    }
    EXPECT_THAT(screen.writes, IsEmpty());
  }
}

TEST(Progress, PlainLinesAreSparse) {
  Screen screen;
  {
    Progress progress("sft", 600, "steps", screen.options(false));
    for (int i = 1; i <= 600; ++i) {
      screen.now = 0.05 * i;
      progress.update(i, "loss 1.5");
    }
  }
  EXPECT_THAT(screen.writes, ElementsAre("sft: 40/600  20 steps/s  28.0 s left  loss 1.5\n",
                                         "sft: 240/600  20 steps/s  18.0 s left  loss 1.5\n",
                                         "sft: 440/600  20 steps/s  8.0 s left  loss 1.5\n",
                                         "sft: 600 steps in 30.0 s (20/s)  loss 1.5\n"));
}

TEST(Progress, ABarIsRedrawnInPlaceAndEndsWithALine) {
  Screen screen;
  {
    Progress progress("eval", 200, "prompts", screen.options(true));
    screen.now = 0.6;
    progress.update(10);  // 12 s to go: shown before the two seconds are over
    screen.now = 0.65;
    progress.update(11);  // too soon for a redraw
    screen.now = 6.0;
    progress.update(100);
    screen.now = 12.0;
    progress.update(200);
  }
  ASSERT_EQ(screen.writes.size(), 4U);
  EXPECT_EQ(screen.writes[1],
            "\r\x1b[Keval  ###############---------------  50 %  100/200  16.7 prompts/s  6.0 s left");
  EXPECT_THAT(screen.writes[3], StartsWith("\r\x1b[Keval: 200 prompts in 12.0 s"));
  EXPECT_THAT(screen.writes[3], EndsWith("\n"));
}

TEST(Progress, NeverWrapsANarrowTerminal) {
  for (int width = 10; width < 90; ++width) {
    Screen screen;
    auto options = screen.options(true, width);
    options.style.utf8 = options.style.color = true;
    Progress progress("a label", 200, "prompts", std::move(options));
    screen.now = 6.0;
    progress.update(100, "loss 1.25 \xc3\xa9\xc3\xa9\xc3\xa9");
    ASSERT_EQ(screen.writes.size(), 1U);
    EXPECT_LT(display_width(std::string_view(screen.writes[0]).substr(4)), width) << screen.writes[0];
  }
}

TEST(Progress, AnUnfinishedLoopSaysWhereItStopped) {
  Screen screen;
  {
    Progress progress("rollout", 50, "prompts", screen.options(false));
    screen.now = 3.0;
    progress.advance(7);
  }
  EXPECT_EQ(screen.writes.back(), "rollout: stopped at 7/50 after 3.0 s\n");
}

TEST(Progress, UnknownTotalsAndBackwardClocksAreHarmless) {
  Screen screen;
  Progress progress("read", 0, "lines", screen.options(true));
  screen.now = 3.0;
  progress.advance(1500000);
  screen.now = -5.0;
  progress.advance();
  screen.now = 4.0;
  progress.finish();
  progress.finish();
  EXPECT_EQ(screen.writes.front(), "\r\x1b[Kread  1.5M lines  500k lines/s");
  EXPECT_EQ(screen.writes.size(), 2U);
}

TEST(Progress, ALogLineClearsAndRedrawsTheBar) {
  Screen screen;
  Progress progress("eval", 200, "prompts", screen.options(true));
  screen.now = 6.0;
  progress.update(100);
  testing::internal::CaptureStderr();
  log_info("a line");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "a line\n");
  ASSERT_EQ(screen.writes.size(), 3U);
  EXPECT_EQ(screen.writes[1], "\r\x1b[K");
  EXPECT_THAT(screen.writes[2], HasSubstr("100/200"));
  progress.finish();
  testing::internal::CaptureStderr();
  log_info("another");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "another\n");
  EXPECT_EQ(screen.writes.size(), 4U);
}

TEST(StepLine, IsReadableAndAligned) {
  StepLine line(80, default_step_columns(), {});
  MetricRow row(12);
  row.set("reward/mean", 0.714);
  row.set("reward/accuracy", 0.83);
  row.set("completion/mean_tokens", 41.23);
  row.set("kl/mean", 0.00312);
  row.set("mismatch/max", 2.4e-7);
  row.set("throughput/tokens_per_s", 1910.0);
  row.set("time/step_s", 0.8);
  row.set("time/rollout_s", 0.496);
  row.set("time/train_s", 0.248);
  EXPECT_EQ(
      line.format(row),
      "step 12/80 | reward 0.71 | acc 83 % | len 41.2 | kl 0.00312 | gap 2e-7 | 1.91k tok/s | 0.8 s (rollout 62 %, "
      "train 31 %)");
  MetricRow next(3);
  next.set("reward/mean", 0.5);
  next.set("reward/accuracy", 0.05);
  next.set("kl/mean", std::nan(""));
  EXPECT_EQ(line.format(next),
            "step  3/80 | reward 0.50 | acc  5 % | len    - | kl     NaN | gap    - |           - |     -");
}

TEST(StepLine, DropsColumnsThatDoNotFitATerminal) {
  MetricRow row(1);
  row.set("reward/mean", 0.5);
  row.set("reward/accuracy", 0.5);
  row.set("completion/mean_tokens", 40.0);
  for (int width = 10; width < 60; ++width) {
    StepLine line(9, default_step_columns(), {.terminal = true, .color = true, .utf8 = true, .width = width});
    EXPECT_LE(display_width(line.format(row)), std::max(width, 8));
  }
}

TEST(StepLine, FormatsExtremes) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(format_value(kInfinity, ColumnFormat::percent), "inf");
  EXPECT_EQ(format_value(-kInfinity, ColumnFormat::fixed2), "-inf");
  EXPECT_EQ(format_value(1e30, ColumnFormat::fixed2), "1.00e30");
  EXPECT_EQ(format_value(0.0, ColumnFormat::scientific), "0");
  EXPECT_EQ(format_value(1.0, ColumnFormat::scientific), "1e0");
  EXPECT_EQ(format_value(-1.24e-5, ColumnFormat::compact), "-1.2e-5");
  EXPECT_EQ(format_value(125.0, ColumnFormat::seconds), "2 min 05 s");
}

}  // namespace
}  // namespace laconic::metrics

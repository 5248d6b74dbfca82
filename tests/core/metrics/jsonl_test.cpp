#include "laconic/core/metrics/jsonl.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "tests/support/temporary_folder.h"

namespace laconic::metrics {
namespace {

using testing::HasSubstr;
using Mode = JsonlWriter::Mode;

MetricRow row_of(int64_t step) {
  MetricRow row(step);
  row.set("reward/mean", 0.1 * static_cast<double>(step));
  row.set("rollout/count", 64);
  return row;
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MetricRow, KeepsTheOrderAndReplacesInPlace) {
  MetricRow row(3);
  row.set("b/x", 1.5);
  row.set("a", int64_t{7});
  row.set("note", "hello");
  row.set("b/x", 2.5F);
  ASSERT_EQ(row.entries().size(), 3U);
  EXPECT_EQ(row.entries()[0].first, "b/x");
  EXPECT_EQ(row.number("b/x"), 2.5);
  EXPECT_EQ(row.number("a"), 7.0);
  EXPECT_EQ(row.number("note"), std::nullopt);
  EXPECT_EQ(row.number("absent"), std::nullopt);
  EXPECT_EQ(json_line(to_json(row)), R"({"step":3,"b/x":2.5,"a":7,"note":"hello"})");
}

TEST(MetricRow, RefusesNamesThatAreNoSlashPaths) {
  MetricRow row(0);
  for (const char* name : {"", "/a", "a/", "a//b", "A", "a b", "step", "a\n", "\xc3\xa9"}) {
    EXPECT_THROW(row.set(name, 1.0), Error) << name;
  }
  EXPECT_NO_THROW(row.set("eval/pass@1", 1.0));
}

TEST(Jsonl, NamesNonFiniteNumbersAtAnyDepth) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  MetricRow row(1);
  row.set("loss", std::nan(""));
  row.set("up", kInfinity);
  row.set("down", -kInfinity);
  EXPECT_EQ(json_line(to_json(row)), R"({"step":1,"loss":"NaN","up":"Infinity","down":"-Infinity"})");
  const nlohmann::ordered_json nested = {{"a", {{"b", {1.0, kInfinity}}}}};
  EXPECT_EQ(json_line(nested), R"({"a":{"b":[1.0,"Infinity"]}})");
}

TEST(Jsonl, NumbersReadBackToTheSameBits) {
  for (const double value : {0.1, 1.0 / 3.0, 1e-310, 1.7976931348623157e308, -0.0, 123456789012345680.0}) {
    const auto line = json_line({{"x", value}});
    const double back = nlohmann::json::parse(line)["x"].get<double>();
    EXPECT_EQ(back, value) << line;
    EXPECT_EQ(std::signbit(back), std::signbit(value)) << line;
  }
}

TEST(Jsonl, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_line({{"text",
                        "a\xff"
                        "b\ncd"}}),
            "{\"text\":\"a\xef\xbf\xbd"
            "b\\ncd\"}");
}

TEST(Jsonl, EveryRowIsInTheFileAtOnce) {
  const TemporaryFolder folder;
  JsonlWriter writer(folder / "m.jsonl", Mode::create);
  writer.write(row_of(0));
  EXPECT_EQ(read_file(folder / "m.jsonl"), "{\"step\":0,\"reward/mean\":0.0,\"rollout/count\":64}\n");
}

TEST(Jsonl, AResumedFileEqualsAnUninterruptedOne) {
  const TemporaryFolder folder;
  {
    JsonlWriter writer(folder / "whole.jsonl", Mode::create);
    for (int step = 0; step < 10; ++step) writer.write(row_of(step));
  }
  for (int stop = 0; stop < 10; ++stop) {
    for (const char* tail : {"", "{\"step\":", "{", "\x00garbage"}) {
      const auto path = folder / "resumed.jsonl";
      {
        JsonlWriter writer(path, Mode::create);
        for (int step = 0; step <= stop; ++step) writer.write(row_of(step));
      }
      std::ofstream(path, std::ios::app) << tail;
      JsonlWriter writer(path, Mode::append);
      const int checkpoint = stop / 2;
      EXPECT_EQ(writer.truncate_after(checkpoint), stop - checkpoint + (*tail != 0 ? 1 : 0));
      for (int step = checkpoint + 1; step < 10; ++step) writer.write(row_of(step));
      EXPECT_EQ(read_file(path), read_file(folder / "whole.jsonl"));
    }
  }
}

TEST(Jsonl, TruncateNamesFileAndLineOfAForeignRow) {
  const TemporaryFolder folder;
  for (const char* foreign : {"[1]", "{\"a\":1}", "{\"step\":\"x\"}", "nonsense"}) {
    std::ofstream(folder / "m.jsonl") << "{\"step\":0}\n" << foreign << "\n";
    JsonlWriter writer(folder / "m.jsonl", Mode::append);
    EXPECT_THAT(message_of([&] { writer.truncate_after(5); }), HasSubstr("m.jsonl:2: expected an object"));
  }
}

TEST(Jsonl, ReadingToleratesACutLastLineOnly) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.jsonl") << "{\"step\":0}\n\n{\"step\":1}\n{\"st";
  const auto content = read_jsonl(folder / "a.jsonl");
  EXPECT_EQ(content.rows.size(), 2U);
  EXPECT_THAT(content.note, HasSubstr("a.jsonl: the last line (4) is cut off"));
  std::ofstream(folder / "b.jsonl") << "{\"step\":0}\n{\"st\n{\"step\":1}\n";
  EXPECT_THAT(message_of([&] { read_jsonl(folder / "b.jsonl"); }), HasSubstr("b.jsonl:2: not valid JSON"));
  std::ofstream(folder / "c.jsonl") << "{\"step\":0}";  // finished but for its newline
  EXPECT_EQ(read_jsonl(folder / "c.jsonl").rows.size(), 1U);
  std::ofstream(folder / "d.jsonl") << "";
  EXPECT_TRUE(read_jsonl(folder / "d.jsonl").rows.empty());
}

TEST(Jsonl, AFullDiskIsAnErrorThatNamesThePath) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "/dev/full is absent";
  JsonlWriter writer("/dev/full", Mode::append);
  EXPECT_THAT(message_of([&] { writer.write(row_of(0)); }), HasSubstr("cannot append to /dev/full: No space left"));
}

TEST(Jsonl, ASecondWriterIsRefused) {
  const TemporaryFolder folder;
  const JsonlWriter writer(folder / "m.jsonl", Mode::create);
  EXPECT_THAT(message_of([&] { JsonlWriter(folder / "m.jsonl", Mode::append); }), HasSubstr("another process"));
}

}  // namespace
}  // namespace laconic::metrics

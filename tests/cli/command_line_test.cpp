#include "laconic/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "laconic/cli/overrides.h"
#include "laconic/core/base/error.h"

namespace laconic::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CommandLine sample() {
  CommandLine line("sample", "About it.");
  line.section("Things");
  line.option("count", "N", "how many");
  line.option("rate", "R", "how fast");
  line.option("mode", "a|b", "which way");
  line.flag("loud", "say more");
  return line;
}

CommandLine parsed(const Arguments& arguments) {
  auto line = sample();
  std::ostringstream out;
  EXPECT_TRUE(line.parse(arguments, out));
  return line;
}

template <typename Work>
std::string usage_error(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

TEST(CommandLine, Values) {
  const auto line = parsed({"--count", "5", "--rate=-0.5", "--loud"});
  EXPECT_EQ(line.whole("count", 0, 9, 1), 5);
  EXPECT_EQ(line.number("rate", 1), -0.5);
  EXPECT_TRUE(line.has("loud"));
  EXPECT_FALSE(line.has("mode"));
  EXPECT_EQ(line.choice("mode", {"a", "b"}, "a"), "a");
  EXPECT_EQ(parsed({"--rate", "-1e-3"}).number("rate", 0), -1e-3);
}

TEST(CommandLine, WrongValuesNameTheOption) {
  for (const char* text : {"x", "5x", "", " 5", "5.0", "99999999999999999999", "10", "-1", "+5"}) {
    auto line = sample();
    std::ostringstream out;
    EXPECT_THAT(usage_error([&] {
                  if (line.parse({std::string("--count"), text}, out)) line.whole("count", 0, 9, 1);
                }),
                testing::AnyOf(HasSubstr("--count: expected a whole number from 0 to 9"), HasSubstr("--count")))
        << text;
  }
  EXPECT_THAT(usage_error([] { parsed({"--rate", "nan"}).number("rate", 0); }), HasSubstr("--rate: expected a number"));
  EXPECT_THAT(usage_error([] {
                parsed({"--mode", "c"}).choice("mode", {"a", "b"}, "a");
              }),
              HasSubstr("--mode: expected one of a, b, found `c`"));
  EXPECT_THAT(usage_error([] { parsed({}).text("count"); }), HasSubstr("the option --count is missing"));
}

TEST(CommandLine, WrongArguments) {
  EXPECT_THAT(usage_error([] {
                parsed({"--cuont", "5"});
              }),
              HasSubstr("unknown option `--cuont` (did you mean `--count`?)"));
  EXPECT_THAT(usage_error([] { parsed({"--cou", "5"}); }), HasSubstr("unknown option `--cou`"));
  EXPECT_THAT(usage_error([] { parsed({"--count"}); }), HasSubstr("--count"));
  EXPECT_THAT(usage_error([] { parsed({"--count", "1", "--count", "2"}); }), HasSubstr("more than once"));
  EXPECT_THAT(usage_error([] { parsed({"--loud=3"}); }), HasSubstr("--loud"));
  EXPECT_THAT(usage_error([] { parsed({"word"}); }),
              HasSubstr("unexpected argument `word`; see `laconic sample --help`"));
}

TEST(CommandLine, HelpNamesEverythingAndGoesFirst) {
  auto line = sample();
  std::ostringstream out;
  EXPECT_FALSE(line.parse({"--cuont", "5", "--help"}, out));
  for (const char* text :
       {"Usage: laconic sample [OPTIONS]", "About it.", "Things:", "--count N", "how many", "--help"})
    EXPECT_THAT(out.str(), HasSubstr(text));
}

TEST(Overrides, BothSpellings) {
  const auto parts = split_overrides(
      {"run.yaml", "--train.steps=5", "--optimizer.lr", "1e-3", "--count", "5", "--seed=3", "--threads", "2"},
      {"seed", "threads"});
  EXPECT_THAT(parts.overrides, ElementsAre("--train.steps=5", "--optimizer.lr=1e-3", "--seed=3", "--threads=2"));
  EXPECT_THAT(parts.rest, ElementsAre("run.yaml", "--count", "5"));
}

TEST(Overrides, ValuesThatLookLikeSomethingElse) {
  const auto parts = split_overrides({"--a.b=x=y", "--a.c", "-1", "--a.d=", "--out=x.yaml", "--a.e=--f"}, {});
  EXPECT_THAT(parts.overrides, ElementsAre("--a.b=x=y", "--a.c=-1", "--a.d=", "--a.e=--f"));
  EXPECT_THAT(parts.rest, ElementsAre("--out=x.yaml")) << "the dot is in the value";
  EXPECT_THAT(split_overrides({"--", "--a.b=1"}, {}).rest, ElementsAre("--", "--a.b=1"));
}

TEST(Overrides, WithoutAValue) {
  EXPECT_THAT(usage_error([] { split_overrides({"--a.b"}, {}); }), HasSubstr("write --a.b=VALUE"));
  EXPECT_THAT(usage_error([] { split_overrides({"--a.b", "--c", "1"}, {}); }), HasSubstr("--a.b: expected a value"));
}

}  // namespace
}  // namespace laconic::cli

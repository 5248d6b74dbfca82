// Lists of sections: read, replaced, written out, explained, and wrong in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "laconic/core/config/config.h"

namespace laconic::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Part {
  std::string path;
  double weight = 1;
  void visit(Visitor& v) {
    v.field("path", path, {.help = "where from"});
    v.field("weight", weight, {.help = "how much", .min = 0.0});
    v.check(!path.empty(), "path", "expected a path");
  }
};

struct Mixed {
  double weight = 2;
  std::vector<Part> parts;
  void visit(Visitor& v) {
    v.field("weight", weight, {.help = "of parts that do not say"});
    v.sections("parts", parts, Part{"", weight}, "what is mixed");
    v.check(parts.size() != 1, "parts", "one part is no mixture");
  }
};

struct Whole {
  Mixed data;
  void visit(Visitor& v) { v.section("data", data, "the data"); }
};

Whole read(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  Whole whole;
  read_from_yaml(yaml, "run.yaml", overrides, whole);
  return whole;
}

std::string error(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  try {
    read(yaml, overrides);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

TEST(Sections, ItemsBeginAsThePrototype) {
  const auto whole = read("data:\n  weight: 3\n  parts:\n    - path: a\n    - {path: b, weight: 0.5}\n");
  ASSERT_EQ(whole.data.parts.size(), 2u);
  EXPECT_EQ(whole.data.parts[0].weight, 3);
  EXPECT_EQ(whole.data.parts[1].weight, 0.5);
  EXPECT_EQ(whole.data.parts[1].path, "b");
  EXPECT_TRUE(read("data: {parts: []}").data.parts.empty());
}

TEST(Sections, AListReplacesAndAnOverrideToo) {
  Whole whole = read("data: {parts: [{path: a}, {path: b}]}");
  read_from_yaml("data: {weight: 1}", "more.yaml", {}, whole);
  EXPECT_EQ(whole.data.parts.size(), 2u) << "a source without the list leaves it";
  const auto over = read("data: {parts: [{path: a}, {path: b}]}", {"--data.parts=[{path: x}, {path: y}, {path: z}]"});
  ASSERT_EQ(over.data.parts.size(), 3u);
  EXPECT_EQ(over.data.parts[2].path, "z");
}

TEST(Sections, WhatIsWrittenReadsBack) {
  const auto whole = read("data: {parts: [{path: a, weight: 0.25}, {path: \"b: c\"}]}");
  const auto again = read(dump_yaml(whole));
  EXPECT_EQ(dump_json(again).dump(), dump_json(whole).dump());
  EXPECT_EQ(dump_json(whole).dump(),
            R"({"data":{"weight":2.0,"parts":[{"path":"a","weight":0.25},{"path":"b: c","weight":2.0}]}})");
}

TEST(Sections, MistakesNameTheItem) {
  EXPECT_THAT(error("data:\n  parts:\n    - path: a\n    - path: b\n      wieght: 1\n"),
              AllOf(HasSubstr("run.yaml:5:7: data.parts[1].wieght: unknown key"),
                    HasSubstr("did you mean `data.parts[1].weight`")));
  EXPECT_THAT(error("data: {parts: [{path: a, weight: -1}, {path: b}]}"),
              HasSubstr("data.parts[0].weight: expected a number >= 0, found `-1`"));
  EXPECT_THAT(error("data: {parts: [{path: a}, {weight: 1}]}"), HasSubstr("data.parts[1].path: expected a path"));
  EXPECT_THAT(error("data: {parts: [{path: a}]}"), HasSubstr("data.parts: one part is no mixture"));
  EXPECT_THAT(error("data: {parts: [a, b]}"), HasSubstr("data.parts[0]: expected a section"));
  EXPECT_THAT(error("data: {parts: {path: a}}"), HasSubstr("data.parts: expected a list of sections"));
  EXPECT_THAT(error("data: {parts: a}"), HasSubstr("found `a`"));
  EXPECT_THAT(error("data: {parts: null}"), HasSubstr("found null"));
  EXPECT_THAT(error("data: {partz: []}"), HasSubstr("did you mean `data.parts`"));
}

TEST(Sections, AreExplainedAndInTheSchema) {
  EXPECT_EQ(explain(Whole(), "data.parts"),
            "data.parts[]: list of sections\n    what is mixed\n\ndata.parts[].path: string; default \"\"\n"
            "    where from\n\ndata.parts[].weight: number >= 0; default 2.0\n    how much\n");
  EXPECT_THAT(explain(Whole(), "data.parts[].weight"), HasSubstr("how much"));
  EXPECT_THAT(markdown(Whole(), "x"), HasSubstr("## `data.parts[]`\n\nwhat is mixed (list of sections)\n"));
  const auto schema = json_schema(Whole(), "x")["properties"]["data"]["properties"]["parts"];
  EXPECT_EQ(schema["type"], "array");
  EXPECT_EQ(schema["items"]["properties"]["path"]["type"], "string");
}

}  // namespace
}  // namespace laconic::config

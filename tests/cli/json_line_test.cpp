#include "laconic/cli/json_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_object(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << text;
    return error.what();
  }
  return "no error";
}

TEST(JsonLine, RefusesWhatReadersDisagreeAbout) {
  EXPECT_THAT(error_of("{\"a\":1,\"a\":2}"), HasSubstr("the key `a` stands twice"));
  EXPECT_THAT(error_of("{\"x\":{\"a\":1,\"\\u0061\":2}}"), HasSubstr("the key `a` stands twice"));
  EXPECT_EQ(error_of("{\"a\":{\"b\":1},\"c\":{\"b\":1}}"), "no error");
  EXPECT_THAT(error_of("{\"a\":\"\xff\"}"), HasSubstr("not UTF-8 at byte 7 (0xFF)"));
  EXPECT_THAT(error_of("{\"a\":\"\\ud800\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"a\":NaN}"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"a\":1e999}"), HasSubstr("too large for a double"));
  EXPECT_THAT(error_of("{\"a\":1} x"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"a\":1"), HasSubstr("not JSON at byte 7"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("expected a JSON object, found array"));
  EXPECT_THAT(error_of("7"), HasSubstr("expected a JSON object, found number"));
  EXPECT_THAT(error_of(std::string("{\"a\":\"x\0y\"}", 11)), HasSubstr("not JSON"));
  const std::string deep(100000, '[');
  EXPECT_THAT(error_of("{\"a\":" + deep), HasSubstr("nested more than 200 levels"));
  const std::string open(199, '['), close(199, ']');
  EXPECT_EQ(error_of("{\"a\":" + open + close + "}"), "no error");
}

TEST(JsonLine, RawFieldsKeepTheSpelling) {
  const auto fields = [](const std::string& text) {
    EXPECT_EQ(raw_fields(text).size(), parse_object(text).size());
    return raw_fields(text);
  };
  EXPECT_THAT(fields("{}"), ElementsAre());
  EXPECT_THAT(fields(" { } "), ElementsAre());
  EXPECT_THAT(fields("{\"a\":0.10,\"b\":12345678901234567890123}"),
              ElementsAre("\"a\":0.10", "\"b\":12345678901234567890123"));
  EXPECT_THAT(fields("{ \"a\" : \"x\\\"},\" , \"b\":[1,{\"c\":[]}] , \"d\":null}"),
              ElementsAre("\"a\" : \"x\\\"},\"", "\"b\":[1,{\"c\":[]}]", "\"d\":null"));
  EXPECT_THAT(fields("{\"\\\"k:,\":{},\"l\":true }"), ElementsAre("\"\\\"k:,\":{}", "\"l\":true"));
}

TEST(JsonLine, FloatsReadBackToTheSameBits) {
  Rng rng(DrawPurpose::procedural_data, {3});
  std::vector<float> values = {0.0f, -0.0f, 1.0f, 0.1f, 1e-45f, std::numeric_limits<float>::max(), -0.2437439f};
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<float>(rng.next());
    if (std::isfinite(value)) values.push_back(value);
  }
  const std::string text = dump_line(float_list(values, "x"));
  const Json back = Json::parse(text);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto read = static_cast<float>(back[i].get<double>());
    ASSERT_EQ(std::bit_cast<uint32_t>(read), std::bit_cast<uint32_t>(values[i])) << values[i];
  }
  EXPECT_EQ(dump_line(float_list(std::vector<float>{-0.2437439f}, "x")), "[-0.2437439]");
}

TEST(JsonLine, NumbersThatJsonLacks) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(dump_line(float_list(std::vector<float>{-kInfinity}, "x")), "[\"-Infinity\"]");
  EXPECT_THROW(float_list(std::vector<float>{1.0f, std::nanf("")}, "x"), Error);
  EXPECT_THROW(float_list(std::vector<float>{kInfinity}, "x"), Error);
  try {
    dump_line({{"metrics", {{"list", {1.0, HUGE_VAL}}}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
    EXPECT_THAT(error.what(), HasSubstr("metrics.list[1] is not finite (inf)"));
  }
}

}  // namespace
}  // namespace laconic::cli

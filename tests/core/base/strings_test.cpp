#include "laconic/core/base/strings.h"

#include <gtest/gtest.h>

namespace laconic {
namespace {

TEST(Nearest, FindsLikelyMisspellingsOnly) {
  const std::vector<std::string> names = {"group_size", "temperature", "clip_low"};
  EXPECT_EQ(nearest("gruop_size", names), "group_size");
  EXPECT_EQ(nearest("temprature", names), "temperature");
  EXPECT_EQ(nearest("zzz", names), "");
}

TEST(Utf8, FirstInvalidByteIsFound) {
  EXPECT_EQ(first_invalid_utf8("plain, é, 漢, 😀"), std::string_view::npos);
  EXPECT_EQ(first_invalid_utf8("a\xff"), 1u);
  EXPECT_EQ(first_invalid_utf8("\xc0\x80"), 0u);        // overlong
  EXPECT_EQ(first_invalid_utf8("ab\xed\xa0\x80"), 2u);  // surrogate
  EXPECT_EQ(first_invalid_utf8("\xe6\xbc"), 0u);        // cut short
}

TEST(JsonText, LevelsAreCountedOutsideOfTexts) {
  EXPECT_EQ(json_levels(""), 0u);
  EXPECT_EQ(json_levels("3"), 0u);
  EXPECT_EQ(json_levels(R"({"a": [1, {"b": []}], "c": [[]]})"), 4u);
  EXPECT_EQ(json_levels(R"({"a": "[[[[\"[[[["})"), 1u);
  EXPECT_EQ(json_levels("]]]]["), 1u);
  EXPECT_EQ(json_levels(std::string(5000, '[')), 5000u);
}

TEST(JsonText, ReasonsWithoutTheNameOfTheException) {
  EXPECT_EQ(parser_reason("[json.exception.parse_error.101] parse error at line 1"), "parse error at line 1");
  EXPECT_EQ(parser_reason("no ] brackets"), "no ] brackets");
}

TEST(Human, Figures) {
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_count(4.56e6), "4.56M");
  EXPECT_EQ(human_duration(185), "3 min 05 s");
}

}  // namespace
}  // namespace laconic

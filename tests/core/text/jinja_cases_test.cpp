// Templates whose results were made by Python's jinja2 3.1.6 with the settings of chat templates.
#include <gtest/gtest.h>

#include "laconic/core/text/jinja_template.h"
#include "tests/core/text/fixtures.h"

namespace laconic::text {
namespace {

// Noon of 10 July 2025, local time.
std::time_t reference_time() {
  std::tm day{};
  day.tm_year = 125;
  day.tm_mon = 6;
  day.tm_mday = 10;
  day.tm_hour = 12;
  day.tm_isdst = -1;
  return std::mktime(&day);
}

// Whether the template gives `output`, or fails where there is none.
bool agrees(const std::string& source, const Json& context, const std::optional<std::string>& output) {
  try {
    const auto text = jinja::Template::parse(source, "case").render(context, reference_time());
    EXPECT_TRUE(output.has_value()) << source << "\nshould fail, but gives:\n" << text;
    if (!output) return false;
    EXPECT_EQ(text, *output) << source;
    return text == *output;
  } catch (const Error& error) {
    EXPECT_FALSE(output.has_value()) << source << "\nfails: " << error.what();
    if (output) return false;
    EXPECT_EQ(error.kind(), ErrorKind::input) << source << "\n" << error.what();
    EXPECT_TRUE(std::string(error.what()).starts_with("case:")) << error.what();
    return error.kind() == ErrorKind::input;
  }
}

TEST(JinjaCases, OwnCases) {
  const Json context = Json::parse(own_file("jinja_context.json"));
  const auto cases = parse_lines(own_file("jinja_cases.jsonl"));
  ASSERT_GT(cases.size(), 400u);
  size_t right = 0;
  for (const Json& line : cases) {
    const auto output = line.contains("output") ? std::optional<std::string>(line["output"]) : std::nullopt;
    right += agrees(line["template"], context, output) ? 1 : 0;
  }
  printf("%zu of %zu own cases\n", right, cases.size());
}

TEST(JinjaCases, PublishedCases) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("chat_templates/jinja_features_hfjs.jsonl");
  const auto cases = parse_lines(read_file(path));
  size_t right = 0;
  for (const Json& line : cases) {
    const std::string output = line["jinja2_output"];
    const bool fails = output.starts_with("ERR ");
    right += agrees(line["template"], line["context"], fails ? std::nullopt : std::optional(output)) ? 1 : 0;
  }
  printf("%zu of %zu published cases\n", right, cases.size());
}

}  // namespace
}  // namespace laconic::text

#include "laconic/core/text/chat_template.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/core/text/fixtures.h"

namespace laconic::text {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string render(const std::string& source, const Json& messages, const Json& context = Json::object(),
                   bool add_generation_prompt = false) {
  return ChatTemplate::parse(source, "chat").render(messages, add_generation_prompt, context);
}

// Noon of the day that the reference texts show.
std::time_t reference_day() {
  std::tm day{};
  day.tm_year = 125;
  day.tm_mon = 6;
  day.tm_mday = 10;
  day.tm_hour = 12;
  day.tm_isdst = -1;
  return std::mktime(&day);
}

TEST(ChatTemplate, EveryReferenceText) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("chat_templates");
  std::map<std::string, ChatTemplate> templates;
  int right = 0;
  const auto cases = parse_lines(gunzip(folder / "chat_template_rendered_reference.jsonl.gz"));
  for (const Json& line : cases) {
    const std::string file = line["template_file"];
    auto found = templates.find(file);
    if (found == templates.end()) {
      found = templates.emplace(file, ChatTemplate::parse(read_file(folder / file), file)).first;
      found->second.set_now(reference_day());
    }
    const auto text = found->second.render(line["messages"], line["add_generation_prompt"], line["context"]);
    EXPECT_EQ(text, line["expected"].get<std::string>()) << line["name"] << " of " << file;
    right += text == line["expected"].get<std::string>() ? 1 : 0;
  }
  printf("%d of %zu reference texts\n", right, cases.size());
}

TEST(ChatTemplate, EveryPublishedTemplateParses) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("chat_templates/templates");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_NO_THROW(ChatTemplate::parse(read_file(entry.path()), entry.path().filename())) << entry.path();
  }
}

TEST(ChatTemplate, StandardVariables) {
  const Json messages = {{{"role", "user"}, {"content", "hi"}}};
  const std::string shown =
      "{{ tools }} {{ documents }} {{ add_generation_prompt }} {{ messages }} {{ bos_token is defined }}";
  EXPECT_EQ(render(shown, messages, Json::object(), true), "None None True [{'role': 'user', 'content': 'hi'}] False");
  EXPECT_EQ(render(shown, messages, {{"tools", {1}}, {"bos_token", "<s>"}}),
            "[1] None False [{'role': 'user', 'content': 'hi'}] True");
  EXPECT_EQ(render("{{ a }}", messages, nullptr), "");
}

TEST(ChatTemplate, CopiesShareTheTemplateAndKeepTheirClock) {
  auto day = ChatTemplate::parse("{{ strftime_now('%d %b %Y') }}", "chat");
  day.set_now(reference_day());
  const ChatTemplate copy = day;
  EXPECT_EQ(copy.render(Json::array(), false, {}), "10 Jul 2025");
}

TEST(ChatTemplate, KnowsWhetherItPrintsTheDate) {
  EXPECT_TRUE(ChatTemplate::parse("{% if x %}{{ strftime_now('%Y') }}{% endif %}", "chat").prints_date());
  EXPECT_FALSE(ChatTemplate::parse("{{ messages }}", "chat").prints_date());
}

TEST(ChatTemplate, Days) {
  EXPECT_EQ(noon_of_day("2025-07-10"), reference_day());
  for (const char* wrong : {"", "2025-7-10", "2025-02-30", "2025-13-01", "10.07.2025", "2025-07-10 "})
    EXPECT_FALSE(noon_of_day(wrong)) << wrong;
  EXPECT_TRUE(noon_of_day(today()));
}

TEST(ChatTemplate, SyntaxErrorsNameThePlace) {
  const auto message_of = [](const std::string& source) {
    const auto error = caught([&] { ChatTemplate::parse(source, "model/chat_template.jinja"); });
    EXPECT_EQ(error.kind, ErrorKind::input) << source;
    return error.message;
  };
  EXPECT_THAT(message_of("a\n{% if x %}\nb"), StartsWith("model/chat_template.jinja:3: Unexpected end of template"));
  EXPECT_EQ(message_of("a\n\n{{ x y }}"), "model/chat_template.jinja:3: expected '}}', got 'y'");
  EXPECT_EQ(message_of("{% endfor %}"), "model/chat_template.jinja:1: Encountered unknown tag 'endfor'");
  EXPECT_EQ(message_of("\n{{ x | shout }}"), "model/chat_template.jinja:2: No filter named 'shout'");
  EXPECT_EQ(message_of("{{ (1] }}"), "model/chat_template.jinja:1: unexpected ']', expected ')'");
  EXPECT_THAT(message_of("ab\xFF"), HasSubstr("model/chat_template.jinja: not valid UTF-8 at byte offset 2"));
}

TEST(ChatTemplate, FailuresNameThePlace) {
  const auto error_of = [](const std::string& source, const Json& messages = Json::array()) {
    return caught([&] { render(source, messages); });
  };
  EXPECT_EQ(error_of("a\n{{ messages[0].role }}").message, "chat:2: list object has no element 0");
  EXPECT_EQ(error_of("{% if true %}\n\n{{ raise_exception('no ' ~ 'system role') }}{% endif %}").message,
            "chat:3: no system role");
  EXPECT_EQ(error_of("{{ 'a' +\n 1 }}").message, "chat:1: can only concatenate str (not \"int\") to str");
  EXPECT_EQ(error_of("{{ messages[0].content | upper +\nx.y }}", {{{"content", "a"}}}).message,
            "chat:2: 'x' is undefined");
  EXPECT_EQ(error_of("{{ m }}", {{{"content", std::string("\xC3")}}}).message,
            "chat: a text in the variables is not valid UTF-8 at byte offset 0");
  EXPECT_EQ(error_of("{{ 1/0 }}").kind, ErrorKind::input);
}

TEST(ChatTemplate, MissingConstructsAreNamed) {
  const auto expect = [](const std::string& source, const std::string& message) {
    const auto error = caught([&] { render(source, Json::array()); });
    EXPECT_EQ(error.kind, ErrorKind::unsupported) << source;
    EXPECT_EQ(error.message, message);
  };
  expect("\n{% include 'x' %}", "chat:2: the statement `include` is not supported");
  expect("{% block a %}{% endblock %}", "chat:1: the statement `block` is not supported");
  expect("{{ 'a' | urlize }}", "chat:1: the filter `urlize` is not supported");
  expect("{{ lipsum() }}", "chat:1: the function `lipsum` is not supported");
  expect("{{ 'a'.encode() }}", "chat:1: str.encode is not supported");
  expect("{{ 2 ** 70 }}", "chat:1: an integer beyond 64 bits is not supported");
  expect("{{ {}.items }}",
         "chat:1: printing a builtin_function_or_method (Python shows its address in memory) is not supported");
}

}  // namespace
}  // namespace laconic::text

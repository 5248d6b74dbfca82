// Whatever a template is, rendering ends, in bounded memory and stack, with a text or with an Error.
#include <gmock/gmock.h>

#include "laconic/core/base/rng.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/text/jinja_template.h"
#include "tests/core/text/fixtures.h"

namespace laconic::text {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

std::string repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// A tenth of the usual work and output, so that the tests are fast.
constexpr jinja::Limits kSmall{size_t{6} << 20, 1'000'000, 600};

std::string render(const std::string& source) {
  return jinja::Template::parse(source, "t").render(Json::object(), 0, kSmall);
}

std::string error_of(const std::string& source) {
  const auto error = caught([&] { render(source); });
  EXPECT_NE(error.kind, ErrorKind::internal) << error.message;
  return error.message;
}

TEST(JinjaLimits, NestingOfSource) {
  for (const char* const unit : {"(", "[", "{1:", "-", "not ", "1 if 1 else ", "1 is eq ", "a(", "a[", "(a|f("}) {
    EXPECT_THAT(error_of("{{ " + repeat(unit, 20'000)), HasSubstr("deep")) << unit;
  }
  for (const char* const unit : {"+1", ".b", "|upper", "[0]", "()", " is eq 1", "**2", "*2"}) {
    EXPECT_THAT(error_of("{{ a" + repeat(unit, 20'000) + " }}"), HasSubstr("deep")) << unit;
  }
  for (const char* const unit : {"{% if 1 %}", "{% for x in y %}", "{% macro a() %}", "{% set x %}",
                                 "{% filter upper %}", "{% with %}", "{% call a() %}", "{% generation %}"}) {
    EXPECT_THAT(error_of(repeat(unit, 20'000)), HasSubstr("deep")) << unit;
  }
  EXPECT_THAT(error_of("{% set " + repeat("(", 20'000)), HasSubstr("deep"));
  // What is long, not deep, has no such limit.
  EXPECT_EQ(render("{{ 1" + repeat(" and 1", 20'000) + " }}"), "1");
  EXPECT_EQ(render("{{ '' " + repeat("~ 'a'", 20'000) + " }}").size(), 20'000u);
  EXPECT_EQ(render("{% if 0 %}" + repeat("{% elif 0 %}", 20'000) + "{% else %}x{% endif %}"), "x");
  EXPECT_EQ(render("{{ " + repeat("(", 90) + "1" + repeat(")", 90) + " }}"), "1");
}

TEST(JinjaLimits, Recursion) {
  EXPECT_THAT(error_of("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"), HasSubstr("nested more than"));
  EXPECT_THAT(error_of("{% macro f() %}{% for x in [1] %}{% set y %}{% filter upper %}{{ [f()]|map('upper')|join }}"
                       "{% endfilter %}{% endset %}{% endfor %}{% endmacro %}{{ f() }}"),
              HasSubstr("nested more than"));
  EXPECT_THAT(error_of("{% macro f() %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f() %}{{ g() }}{% endcall %}"
                       "{% endmacro %}{{ g() }}"),
              HasSubstr("nested more than"));
  EXPECT_THAT(error_of("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"), HasSubstr("nested more than"));
  // Recursion of use to someone.
  EXPECT_EQ(render("{% macro f(n) %}{{ n }}{% if n > 1 %},{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}").size(),
            170u);
}

TEST(JinjaLimits, DeepAndWideValues) {
  const std::string grow = "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}{% set ns.x = ";
  const std::string end = " %}{% endfor %}{{ ns.x }}";
  EXPECT_THAT(error_of(grow + "[ns.x]" + end), HasSubstr("nested more than"));
  EXPECT_THAT(error_of(grow + "{'a': ns.x}" + end), HasSubstr("nested more than"));
  EXPECT_THAT(error_of(grow + "ns.x|map('upper')" + end), HasSubstr("nested more than"));
  EXPECT_THAT(error_of(grow + "[ns.x, ns.x]" + end), HasSubstr("too large"));
  EXPECT_THAT(error_of(grow + "ns.x + ns.x" + end), AnyOf(HasSubstr("too large"), HasSubstr("too much work")));
  EXPECT_THAT(error_of("{% set n = namespace() %}{% set n.n = n %}{{ n }}"), HasSubstr("holds itself"));
  EXPECT_THAT(error_of("{% set n = namespace(a=0) %}{% for i in range(60) %}{% set n.a = namespace(a=n.a, b=n.a) %}"
                       "{% endfor %}{{ n.a }}"),
              HasSubstr("the output is larger than"));
  // A long chain of objects is released without recursion.
  EXPECT_EQ(
      render("{% set n = namespace(a=0) %}{% for i in range(99999) %}{% set n.a = namespace(a=n.a) %}{% endfor %}x"),
      "x");
  Json deep = 1;
  for (int i = 0; i < 5000; ++i) deep = Json::array({std::move(deep)});
  const auto context = Json{{"deep", deep}};
  EXPECT_THAT(caught([&] { jinja::Template::parse("x", "t").render(context, 0); }).message, HasSubstr("nested more"));
}

TEST(JinjaLimits, WorkAndSize) {
  const Timer timer;
  EXPECT_THAT(error_of("{{ range(10**9) }}"), HasSubstr("Range too big"));
  EXPECT_THAT(error_of("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"),
              HasSubstr("too much work"));
  EXPECT_THAT(error_of("{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}"),
              HasSubstr("the output is larger"));
  EXPECT_THAT(error_of("{% set x = 'ab' * 100000 %}{% for i in range(100000) %}{{ 'c' in x }}{% endfor %}"),
              HasSubstr("too much work"));
  EXPECT_THAT(error_of("{% set x = range(99999)|list %}{% for i in range(99999) %}{{ x|sort|first }}{% endfor %}"),
              HasSubstr("too much work"));
  for (const char* const source :
       {"{{ 'x' * 10**12 }}", "{{ [0] * 10**12 }}", "{{ 'a'|center(10**12) }}", "{{ 'a'.zfill(10**12) }}",
        "{{ '%1000000000d' % 5 }}", "{{ '{:1000000000}'.format(5) }}", "{{ 'a'|indent(10**12) }}",
        "{{ [1]|batch(10**12, 'x')|list }}", "{{ ('x' * 999999).join('y' * 999999) }}",
        "{{ ('a' * 999999)|replace('a', 'b' * 999999) }}", "{{ ('a' * 6000000)|list|length }}",
        "{{ ('a,' * 3000000).split(',')|length }}", "{{ strftime_now('%Y' * 100000) }}"}) {
    EXPECT_FALSE(error_of(source).empty()) << source;
  }
  EXPECT_LT(timer.seconds(), 10.0 * kSlowdown);
}

// Templates changed at random: cut, repeated, swapped, with pieces of syntax put in.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : rng_(DrawPurpose::procedural_data, {seed}) {
    pieces_ = split(
        "{{ }} {% %} {# #} -%} {%- - + | . ( ) [ ] { } ' \" \\ if for in endfor set is not : , ** // ~ 1 9999999999 "
        "0.5 none range(9) loop namespace() \xC3 \xC3\xA9 \xF0\x9F\x98\x80 raw endraw macro",
        ' ');
    pieces_.insert(pieces_.end(), {" ", "\n"});
  }

  std::string mutate(std::string text) {
    const int changes = rng_.between(1, 4);
    for (int i = 0; i < changes; ++i) {
      const size_t at = place(text);
      switch (rng_.between(0, 3)) {
        case 0:
          text.erase(at, static_cast<size_t>(rng_.between(1, 12)));
          break;
        case 1:
          text.insert(at, pick(pieces_));
          break;
        case 2:
          text.insert(place(text), text.substr(at, static_cast<size_t>(rng_.between(1, 40))));
          break;
        default:
          if (!text.empty()) text[std::min(at, text.size() - 1)] = static_cast<char>(rng_.below(128));
      }
    }
    return text;
  }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[rng_.below(static_cast<uint32_t>(from.size()))];
  }

 private:
  size_t place(const std::string& text) { return rng_.below(static_cast<uint32_t>(text.size()) + 1); }
  Rng rng_;
  std::vector<std::string> pieces_;
};

TEST(JinjaLimits, MutatedTemplatesEndInTextOrError) {
  std::vector<std::string> sources;
  for (const Json& line : parse_lines(own_file("jinja_cases.jsonl"))) sources.push_back(line["template"]);
  if (const auto folder = test_data("chat_templates/templates")) {
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) sources.push_back(read_file(entry.path()));
  }
  std::sort(sources.begin(), sources.end());
  Json context = Json::parse(own_file("jinja_context.json"));
  context["messages"] = context["ms"];
  const jinja::Limits limits{1 << 20, 20'000, 600};
  Mutator mutator(7);
  int texts = 0;
  int errors = 0;
  for (int i = 0; i < 15'000; ++i) {
    const auto source = mutator.mutate(mutator.pick(sources));
    try {
      jinja::Template::parse(source, "t").render(context, 0, limits);
      ++texts;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::internal) << source << "\n" << error.what();
      ++errors;
    } catch (const std::exception& error) {
      ADD_FAILURE() << source << "\n" << error.what();
    }
  }
  printf("%d texts, %d errors\n", texts, errors);
  EXPECT_GT(texts, 1000);
  EXPECT_GT(errors, 1000);
}

}  // namespace
}  // namespace laconic::text

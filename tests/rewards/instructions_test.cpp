// Instructions that a rule can check: each of IFEval's on texts that do and do not follow it, gold fields, readings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "laconic/rewards/characters.h"
#include "laconic/rewards/gold_check.h"
#include "laconic/rewards/instruction_checks.h"
#include "laconic/rewards/instruction_list.h"
#include "laconic/rewards/sentences.h"
#include "laconic/rewards/verifier.h"
#include "tests/support/error_of.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::string gold_of(const std::string& id, const Json& arguments) {
  return Json{{"instruction_id_list", {id}}, {"kwargs", {arguments}}}.dump();
}

bool strict(const std::string& id, const Json& arguments, const std::string& text) {
  return follows(parse_instructions(gold_of(id, arguments)).at(0), text);
}

bool loose(const std::string& id, const Json& arguments, const std::string& text) {
  return follows_loosely(parse_instructions(gold_of(id, arguments)).at(0), text);
}

const Json kNone = Json::object();

TEST(Instructions, Keywords) {
  const std::string id = "keywords:existence";
  EXPECT_TRUE(strict(id, {{"keywords", {"Sea", "ship"}}}, "A SHIP at sea."));
  EXPECT_FALSE(strict(id, {{"keywords", {"sea", "ship"}}}, "A boat at sea."));
  EXPECT_TRUE(strict(id, {{"keywords", {"ea"}}}, "The sea.")) << "a part of a word is found";
  EXPECT_TRUE(strict("keywords:forbidden_words", {{"forbidden_words", {"sea"}}}, "Seaside."));
  EXPECT_FALSE(strict("keywords:forbidden_words", {{"forbidden_words", {"sea"}}}, "The SEA."));
  const Json twice = {{"keyword", "no"}, {"frequency", 2}, {"relation", "at least"}};
  EXPECT_TRUE(strict("keywords:frequency", twice, "No, nothing."));
  EXPECT_FALSE(strict("keywords:frequency", twice, "No."));
  EXPECT_TRUE(strict("keywords:frequency", {{"keyword", "no"}, {"frequency", 2}, {"relation", "less than"}}, "No."));
  const Json letter = {{"letter", "E"}, {"let_frequency", 3}, {"let_relation", "less than"}};
  EXPECT_TRUE(strict("keywords:letter_frequency", letter, "see"));
  EXPECT_FALSE(strict("keywords:letter_frequency", letter, "sEed e"));
}

TEST(Instructions, Lengths) {
  const auto words = [](int count, const char* relation) { return Json{{"num_words", count}, {"relation", relation}}; };
  EXPECT_TRUE(strict("length_constraints:number_words", words(4, "at least"), "don't stop, ok"));
  EXPECT_FALSE(strict("length_constraints:number_words", words(4, "less than"), "don't stop, ok"));
  const auto sentences = [](int count) { return Json{{"num_sentences", count}, {"relation", "at least"}}; };
  EXPECT_TRUE(strict("length_constraints:number_sentences", sentences(3), "One. Two? Three!"));
  EXPECT_FALSE(strict("length_constraints:number_sentences", sentences(4), "One. Two? Three!"));
  EXPECT_TRUE(strict("length_constraints:number_paragraphs", {{"num_paragraphs", 2}}, "a\n***\nb"));
  EXPECT_TRUE(strict("length_constraints:number_paragraphs", {{"num_paragraphs", 2}}, "***\na\n***\nb\n***"));
  EXPECT_FALSE(strict("length_constraints:number_paragraphs", {{"num_paragraphs", 2}}, "a\n\nb"));
  EXPECT_FALSE(strict("length_constraints:number_paragraphs", {{"num_paragraphs", 2}}, "a *** *** b"));
  const Json nth = {{"num_paragraphs", 2}, {"nth_paragraph", 2}, {"first_word", "Then"}};
  EXPECT_TRUE(strict("length_constraints:nth_paragraph_first_word", nth, "First.\n\n\"Then, we"));
  EXPECT_FALSE(strict("length_constraints:nth_paragraph_first_word", nth, "First.\n\nThenceforth"));
  EXPECT_FALSE(strict("length_constraints:nth_paragraph_first_word", nth, "First.\n\nThen\n\nmore"));
}

TEST(Instructions, Content) {
  EXPECT_TRUE(strict("detectable_content:number_placeholders", {{"num_placeholders", 2}}, "[name], [a [b]"));
  EXPECT_FALSE(strict("detectable_content:number_placeholders", {{"num_placeholders", 1}}, "[name\n]"));
  EXPECT_TRUE(strict("detectable_content:postscript", {{"postscript_marker", "P.S."}}, "text\np. s. more"));
  EXPECT_FALSE(strict("detectable_content:postscript", {{"postscript_marker", "P.S."}}, "text\nPS more"));
  EXPECT_TRUE(strict("detectable_content:postscript", {{"postscript_marker", "P.P.S"}}, "text\nP.P.S more"));
  EXPECT_FALSE(strict("detectable_content:postscript", {{"postscript_marker", "P.P.S"}}, "text\nP.S. more"));
}

TEST(Instructions, Formats) {
  const auto bullets = [](int count, const char* text) {
    return strict("detectable_format:number_bullet_lists", {{"num_bullets", count}}, text);
  };
  EXPECT_TRUE(bullets(3, "Points:\n* one\n  * two\n- three"));
  EXPECT_FALSE(bullets(2, "**bold**\n* one")) << "two asterisks are no bullet";
  EXPECT_TRUE(bullets(1, "**bold**\n* one"));
  const auto highlights = [](int count, const char* text) {
    return strict("detectable_format:number_highlighted_sections", {{"num_highlights", count}}, text);
  };
  EXPECT_TRUE(highlights(2, "*one* and *two*"));
  EXPECT_FALSE(highlights(1, "* one\n* two"));
  EXPECT_FALSE(highlights(1, "** **"));
  const Json sections = {{"section_spliter", "Section"}, {"num_sections", 2}};
  EXPECT_TRUE(strict("detectable_format:multiple_sections", sections, "Section 1\na\nSection 2\nb"));
  EXPECT_FALSE(strict("detectable_format:multiple_sections", sections, "SECTION 1\na\nSection two\nb"));
  EXPECT_TRUE(strict("detectable_format:json_format", kNone, "```json\n{\"a\": [1]}\n```"));
  EXPECT_FALSE(strict("detectable_format:json_format", kNone, "Here: {\"a\": 1}"));
  EXPECT_TRUE(strict("detectable_format:title", kNone, "x <<joy>>"));
  EXPECT_FALSE(strict("detectable_format:title", kNone, "<< >> <<\n>>"));
  EXPECT_TRUE(strict("detectable_format:constrained_response", kNone, "My answer is no."));
  EXPECT_FALSE(strict("detectable_format:constrained_response", kNone, "My answer is No"));
}

TEST(Instructions, TheRest) {
  EXPECT_TRUE(strict("combination:two_responses", kNone, "a\n******\nb"));
  EXPECT_FALSE(strict("combination:two_responses", kNone, "a\n******\na"));
  EXPECT_FALSE(strict("combination:two_responses", kNone, "a\n******\nb\n******\nc"));
  const Json prompt = {{"prompt_to_repeat", "Say it again."}};
  EXPECT_TRUE(strict("combination:repeat_prompt", prompt, " say it AGAIN. Fine."));
  EXPECT_FALSE(strict("combination:repeat_prompt", prompt, "Sure! Say it again."));
  const Json end = {{"end_phrase", "That is all."}};
  EXPECT_TRUE(strict("startend:end_checker", end, "x \"That is all.\" "));
  EXPECT_FALSE(strict("startend:end_checker", end, "That is all. Bye"));
  EXPECT_TRUE(strict("startend:quotation", kNone, " \"a\" "));
  EXPECT_FALSE(strict("startend:quotation", kNone, "\""));
  EXPECT_TRUE(strict("punctuation:no_comma", kNone, "a; b"));
  EXPECT_FALSE(strict("punctuation:no_comma", kNone, "a, b"));
  EXPECT_TRUE(strict("change_case:english_capital", kNone, "HELLO 1!"));
  EXPECT_FALSE(strict("change_case:english_capital", kNone, "123"));
  EXPECT_TRUE(strict("change_case:english_lowercase", kNone, "hello \u00e9"));
  EXPECT_FALSE(strict("change_case:english_lowercase", kNone, "hello \u00c9"));
  const Json capitals = {{"capital_frequency", 3}, {"capital_relation", "at least"}};
  EXPECT_TRUE(strict("change_case:capital_word_frequency", capitals, "IT'S X-Y"));
  EXPECT_FALSE(strict("change_case:capital_word_frequency", capitals, "A-B Cd E"));
}

TEST(Instructions, LooseReading) {
  const Json end = {{"end_phrase", "the end"}};
  EXPECT_FALSE(strict("startend:end_checker", end, "It is the end\nHope this helps"));
  EXPECT_TRUE(loose("startend:end_checker", end, "It is the end\nHope this helps"));
  EXPECT_TRUE(loose("startend:end_checker", end, "Sure:\nIt is **the end**\nHope this helps"));
  EXPECT_TRUE(loose("detectable_format:json_format", kNone, "Sure:\n{}"));
  EXPECT_FALSE(loose("detectable_format:json_format", kNone, "one line"));
  EXPECT_FALSE(loose("punctuation:no_comma", kNone, "a, b\nc, d\ne, f\ng, h"));
}

TEST(Sentences, AsPeopleWriteThem) {
  const auto count = [](std::u32string_view text) { return count_sentences(text); };
  EXPECT_EQ(count(U""), 0U);
  EXPECT_EQ(count(U"No full stop"), 1U);
  EXPECT_EQ(count(U"Dr. Smith met Mrs. Jones at 5 p.m. on Friday. They left."), 2U);
  EXPECT_EQ(count(U"It costs 3.50 dollars. Is that much?"), 2U);
  EXPECT_EQ(count(U"He said \"Stop!\" She did."), 2U);
  EXPECT_EQ(count(U"J. R. Smith wrote it."), 1U);
  EXPECT_EQ(count(U"Well... perhaps."), 1U);
  EXPECT_EQ(count(U"Take option b. Let's go."), 2U);
}

TEST(GoldInstructions, AsDataSetsHaveThem) {
  const auto list = parse_instructions(
      R"({"instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"], "kwargs": [{"num_words": null}, {"num_words": 300.0, "relation": "at least", "keywords": null}]})");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1].count, 300);
  EXPECT_TRUE(list[1].at_least);
  EXPECT_EQ(parse_instructions(R"([{"instruction_id": ["startend:quotation"], "kwargs": [null]}])").size(), 1U);
  EXPECT_EQ(instruction_ids().size(), 25U);
}

TEST(GoldInstructions, Mistakes) {
  const auto problem = [](const std::string& id, const Json& arguments) {
    return error_of([&] { parse_instructions(gold_of(id, arguments)); });
  };
  EXPECT_THAT(problem("punctuation:no_coma", kNone), HasSubstr("did you mean `punctuation:no_comma`"));
  EXPECT_THAT(problem("detectable_format:title", {{"title", "x"}}),
              HasSubstr("unknown argument `title`; there are none"));
  EXPECT_THAT(
      problem("length_constraints:number_words", {{"num_word", 3}, {"relation", "at least"}}),
      HasSubstr("kwargs[0] of length_constraints:number_words: expected `num_words` (did you mean `num_word`?)"));
  EXPECT_THAT(problem("length_constraints:number_words", {{"num_words", 3}, {"relation", "more than"}}),
              HasSubstr("expected `at least` or `less than`, found \"more than\""));
  EXPECT_THAT(problem("length_constraints:number_words", {{"num_words", -3}, {"relation", "at least"}}),
              HasSubstr("a whole number"));
  EXPECT_THAT(
      problem("keywords:letter_frequency", {{"letter", "ab"}, {"let_frequency", 1}, {"let_relation", "at least"}}),
      HasSubstr("one letter"));
  EXPECT_THAT(error_of([] { parse_instructions("42"); }), HasSubstr("no instructions"));
  EXPECT_THAT(error_of([] { parse_instructions(R"({"instruction_id_list": ["a"], "kwargs": []})"); }),
              HasSubstr("as long as"));
}

const std::string kTwo =
    R"({"instruction_id_list": ["punctuation:no_comma", "detectable_format:title"], "kwargs": [{}, {}]})";
const std::string kLanguage =
    R"({"instruction_id_list": ["language:response_language"], "kwargs": [{"language": "de"}]})";

TEST(InstructionsVerifier, VerdictAndShare) {
  const auto verifier = make_verifier("instructions");
  const auto half = verifier->verify({"<think>a, b</think>\n\nno title", false, {}}, kTwo);
  EXPECT_FALSE(half.correct);
  EXPECT_EQ(half.tests_passed, 0.5);
  EXPECT_EQ(half.reason, "1 of 2 instructions followed; not detectable_format:title");
  EXPECT_EQ(half.answer, "no title");
  const auto all = verifier->verify({"<think>a, b</think>\n\n<<t>> fine", false, {}}, kTwo);
  EXPECT_TRUE(all.correct && all.format_ok);
  EXPECT_FALSE(verifier->verify({"<<t>> fine", true, {}}, kTwo).correct);
  EXPECT_FALSE(verifier->verify({"<think>a <<t>>", false, {}}, kTwo).answer_found) << "thinking is not graded";
}

TEST(InstructionsVerifier, LanguagesAreRefusedOrLeftOut) {
  EXPECT_THAT(error_of([] { GoldChecker("instructions", {}).of(kLanguage); }),
              HasSubstr("language:response_language, which the verifier `instructions` cannot check"));
  EXPECT_TRUE(GoldChecker("instructions", {{"unsupported", "skip_prompt"}}).of(kLanguage).skip);
  EXPECT_FALSE(GoldChecker("instructions", {}).of(kTwo).skip);
  EXPECT_FALSE(
      make_verifier("instructions", {{"unsupported", "skip_prompt"}})->verify({"ja", false, {}}, kLanguage).correct);
  EXPECT_THAT(error_of([] {
                make_verifier("instructions", {{"reading", "lose"}});
              }),
              HasSubstr("did you mean `loose`"));
}

TEST(InstructionsVerifier, NothingForNothing) {
  for (const char* id : {"punctuation:no_comma", "combination:two_responses", "startend:quotation"}) {
    for (const char* text : {"", " \n ", "<think>x</think>", "<think>x</think>\n<|im_end|>"})
      EXPECT_FALSE(make_verifier("instructions")->verify({text, false, {}}, gold_of(id, kNone)).correct) << id << text;
  }
  const Json few = {{"num_words", 5}, {"relation", "less than"}};
  EXPECT_FALSE(
      make_verifier("instructions")->verify({"", false, {}}, gold_of("length_constraints:number_words", few)).correct);
}

TEST(InstructionsVerifier, CharactersThatCannotBeSeenChangeNothing) {
  const auto verifier = make_verifier("instructions");
  const auto correct = [&](const std::string& text, const char* id, const char* arguments) {
    return verifier->verify({.text = text, .truncated = false, .prompt_text = {}}, gold_of(id, Json::parse(arguments)))
        .correct;
  };
  const std::string zero = "\u200B", soft = "\u00AD", joiner = "\u200C";
  EXPECT_FALSE(correct(zero + zero, "punctuation:no_comma", "{}")) << "the answer is empty";
  for (const auto& hidden : {zero, soft, joiner})
    EXPECT_FALSE(correct("an ap" + hidden + "ple", "keywords:forbidden_words", R"({"forbidden_words": ["apple"]})"));
  EXPECT_TRUE(correct("an ap" + zero + "ple", "keywords:existence", R"({"keywords": ["apple"]})"));
  EXPECT_FALSE(correct("a" + zero + "b" + zero + "c", "length_constraints:number_words",
                       R"({"num_words": 3, "relation": "at least"})"));
  EXPECT_FALSE(correct("<<" + zero + ">> x", "detectable_format:title", "{}"));
  EXPECT_FALSE(correct("a******a" + zero, "combination:two_responses", "{}"));
  EXPECT_TRUE(correct("the end." + zero, "startend:end_checker", R"({"end_phrase": "The end."})"));
  // Spelled with a joiner: two words of \w, as for IFEval.
  EXPECT_TRUE(correct("\u0645\u06CC\u200C\u062E", "length_constraints:number_words",
                      R"({"num_words": 2, "relation": "at least"})"));
}

TEST(InstructionsVerifier, HugeTexts) {
  std::string gold = R"({"instruction_id_list": [], "kwargs": []})";
  Json all = Json::parse(gold);
  const auto add = [&](const char* id, const Json& arguments) {
    all["instruction_id_list"].push_back(id);
    all["kwargs"].push_back(arguments);
  };
  add("detectable_content:number_placeholders", {{"num_placeholders", 2}});
  add("detectable_format:number_highlighted_sections", {{"num_highlights", 2}});
  add("detectable_format:number_bullet_lists", {{"num_bullets", 2}});
  add("detectable_format:title", kNone);
  add("detectable_format:json_format", kNone);
  add("length_constraints:number_sentences", {{"num_sentences", 2}, {"relation", "at least"}});
  add("change_case:capital_word_frequency", {{"capital_frequency", 2}, {"capital_relation", "at least"}});
  const auto verifier = make_verifier("instructions", {{"reading", "loose"}});
  for (const char* unit : {"[", "*", "**a", "\n", "- ", "<<", "{", "a.", ". ", "A'", "\xff", "\xf0\x9f\x98\x80"}) {
    std::string text;
    while (text.size() < (1 << 18)) text += unit;
    (void)verifier->verify({text, false, {}}, all.dump());
  }
}

}  // namespace
}  // namespace laconic::rewards

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/timer.h"
#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {
namespace {

struct Pair {
  std::string gold, answer;
};

TEST(CompareAnswers, SameNumberInManyWritings) {
  const std::vector<Pair> pairs = {{"18", "18"},
                                   {"18", "18.00"},
                                   {"18", "$18"},
                                   {"18", "\\$18"},
                                   {"18", "18 dollars"},
                                   {"18", "$18.00."},
                                   {"1000", "1,000"},
                                   {"1200000", "1,200,000"},
                                   {"1000", "1{,}000"},
                                   {"1000", "1\\,000"},
                                   {"1/2", "0.5"},
                                   {"1/2", ".5"},
                                   {"\\frac{1}{2}", "2/4"},
                                   {"0.5", "\\dfrac12"},
                                   {"-3/4", "-\\frac{3}{4}"},
                                   {"-0.75", "\\frac{-3}{4}"},
                                   {"2.5", "2\\frac{1}{2}"},
                                   {"2.5", "2 1/2"},
                                   {"45", "45%"},
                                   {"45", "45\\%"},
                                   {"5", "5 km"},
                                   {"5", "5\\text{ cm}"},
                                   {"5", "5cm"},
                                   {"30", "30^\\circ"},
                                   {"-5", "\u22125"},
                                   {"-5", "$-5$"},
                                   {"-5", "-$5"},
                                   {"7", "+7"},
                                   {"1000", "1e3"},
                                   {"1000", "1 \\times 10^3"},
                                   {"0.00012", "1.2 \\times 10^{-4}"},
                                   {"42", "**42**"},
                                   {"42", "\\(42\\)"},
                                   {"0", "-0"},
                                   {"0", "0.0"},
                                   {"12345678901234567890123456789", "12345678901234567890123456789.0"},
                                   {"5 km", "5"},
                                   {"12 inches", "12 inch"}};
  for (const auto& [gold, answer] : pairs) EXPECT_TRUE(compare_answers(gold, answer).equal) << gold << " | " << answer;
}

TEST(CompareAnswers, DifferentNumbers) {
  const std::vector<Pair> pairs = {{"18", "19"},
                                   {"18", "-18"},
                                   {"1000", "1,00"},
                                   {"1/2", "1/3"},
                                   {"5", "5x"},
                                   {"2", "2i"},
                                   {"3", "3 pi"},
                                   {"5 km", "5 m"},
                                   {"1/3", "0.3333"},
                                   {"10", "1e"},
                                   {"5", ""},
                                   {"5", "five"},
                                   {"12345678901234567890123456789", "12345678901234567890123456788"},
                                   {"3", "1, 2, 3"},
                                   {"1", "1/0"},
                                   {"100", "10\\text{ units}"}};
  for (const auto& [gold, answer] : pairs) EXPECT_FALSE(compare_answers(gold, answer).equal) << gold << " | " << answer;
}

TEST(CompareAnswers, PercentAndTolerance) {
  const EquivalenceOptions exact{.percent = PercentRule::exact, .tolerance = 0};
  EXPECT_TRUE(compare_answers("0.5", "50%", exact).equal);
  EXPECT_FALSE(compare_answers("50", "50%", exact).equal);
  const EquivalenceOptions any{.percent = PercentRule::any, .tolerance = 0};
  EXPECT_TRUE(compare_answers("0.5", "50%", any).equal);
  EXPECT_TRUE(compare_answers("50", "50%", any).equal);
  EXPECT_TRUE(compare_answers("3.14", "3.1401", {.percent = PercentRule::ignore, .tolerance = 1e-4}).equal);
  EXPECT_FALSE(compare_answers("3.14", "3.15", {.percent = PercentRule::ignore, .tolerance = 1e-4}).equal);
}

TEST(CompareAnswers, ExpressionsByTheirNormalForm) {
  EXPECT_TRUE(compare_answers("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\dfrac{\\pi}{2})").equal);
  EXPECT_TRUE(compare_answers("2\\sqrt{3}", "$2\\sqrt3$").equal);
  EXPECT_TRUE(compare_answers("x + 1", "x+1.").equal);
  EXPECT_TRUE(compare_answers("\\text{Evelyn}", "Evelyn").equal);
  EXPECT_TRUE(compare_answers("4, .1, 2", "4, 0.1, 2").equal);
  EXPECT_TRUE(compare_answers("y", "x=y").equal);
  EXPECT_FALSE(compare_answers("(1,2)", "(2,1)").equal);
  EXPECT_FALSE(compare_answers("", "").equal);
}

struct Extraction {
  std::string text, answer;
};

TEST(MathVerifier, FindsTheAnswerInItsOrder) {
  const auto verifier = make_verifier("math");
  const std::vector<Extraction> cases = {
      {"so \\boxed{1} or rather \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"},
      {"\\boxed{ 9 }\nthe answer is 4", "9"},
      {"\\fbox{7}", "7"},
      {"we get $\\boxed 5$", "5"},
      {"2+2=4\n#### 1,234\n", "1,234"},
      {"<answer>12</answer> and 13", "12"},
      {"The answer is 42.", "42"},
      {"The answer is $42. That took 3 steps.", "$42"},
      {"**Final Answer:** 3.5", "3.5"},
      {"Answer: 2 + 2 = 4", "4"},
      {"The answer is 42 because 6 * 7 is that", "42"},
      {"She has 16-3-4=9 eggs and earns 9*2 = $18 a day", "$18"},
      {"That is -3 degrees", "-3"},
      {"about 3/4 of it", "3/4"},
      {"so it is \\frac{3}{4} of them", "\\frac{3}{4}"},
      {"<think>it is 5, \\boxed{5}</think>\nThe answer is 6.", "6"},
      {"1,234 and then 2,345.50 dollars.", "2,345.50"},
  };
  for (const auto& [text, answer] : cases) {
    const auto verdict = verifier->verify({.text = text, .truncated = false, .prompt_text = {}}, "0");
    EXPECT_TRUE(verdict.answer_found) << text;
    EXPECT_EQ(verdict.answer, answer) << text;
  }
}

TEST(MathVerifier, ThinkingThatWasNotClosedHoldsNoAnswer) {
  const auto verifier = make_verifier("math");
  const auto open =
      verifier->verify({.text = "it is \\boxed{5}", .truncated = true, .prompt_text = "2+3? <think>"}, "5");
  EXPECT_FALSE(open.correct);
  EXPECT_FALSE(open.answer_found);
  EXPECT_TRUE(open.truncated);
  EXPECT_EQ(open.reason, "thinking was not closed");
  const auto closed =
      verifier->verify({.text = "hm</think>\\boxed{5}", .truncated = false, .prompt_text = "2+3? <think>"}, "5");
  EXPECT_TRUE(closed.correct);
  EXPECT_TRUE(closed.format_ok);
  const auto twice =
      verifier->verify({.text = "hm</think>1</think>\\boxed{5}", .truncated = false, .prompt_text = "<think>"}, "5");
  EXPECT_TRUE(twice.correct);
  EXPECT_FALSE(twice.format_ok);
  const auto ignoring = make_verifier("math", {{"thinking", "ignore"}});
  EXPECT_TRUE(
      ignoring->verify({.text = "it is \\boxed{5}", .truncated = false, .prompt_text = "<think>"}, "5").correct);
  const auto requiring = make_verifier("math", {{"thinking", "required"}});
  EXPECT_EQ(verifier->verify({.text = "\\boxed{5} so", .truncated = true, .prompt_text = {}}, "5").reason, "truncated");
  const auto lenient = make_verifier("math", {{"truncated", "graded"}});
  EXPECT_TRUE(lenient->verify({.text = "\\boxed{5} so", .truncated = true, .prompt_text = {}}, "5").correct);
  EXPECT_EQ(requiring->verify({.text = "\\boxed{5}", .truncated = false, .prompt_text = {}}, "5").reason,
            "no </think>");
}

TEST(MathVerifier, FormatIsTheMark) {
  const auto verifier = make_verifier("math");
  EXPECT_FALSE(verifier->verify({.text = "so 5 it is", .truncated = false, .prompt_text = {}}, "5").format_ok);
  EXPECT_TRUE(verifier->verify({.text = "#### 5", .truncated = false, .prompt_text = {}}, "5").format_ok);
  EXPECT_FALSE(verifier->verify({.text = "#### 5", .truncated = true, .prompt_text = {}}, "5").format_ok);
  const auto unclosed =
      verifier->verify({.text = "\\boxed{5} no, \\boxed{6", .truncated = false, .prompt_text = {}}, "5");
  EXPECT_FALSE(unclosed.answer_found);
  EXPECT_FALSE(unclosed.correct);
}

TEST(MathVerifier, AnswersInWords) {
  EXPECT_TRUE(grade("New York", "new york").correct);
  EXPECT_TRUE(grade("2x + 3", "2x+3").correct);
  EXPECT_TRUE(grade("B", "Answer: B").correct);
  EXPECT_FALSE(grade("B", "Answer: b").correct);
  EXPECT_FALSE(grade("Evelyn", "I do not know").answer.has_value());
}

TEST(MathVerifier, StaysFastOnHostileText) {
  const auto verifier = make_verifier("math");
  const size_t size = 1 << 20;
  std::vector<std::string> texts = {std::string(size, '9'), std::string(size, '{'), std::string(size, ' ')};
  for (const std::string unit :
       {"\\boxed{", "answer is ", "1,2", "\\frac", "<think>", "</think>", "9.", "####\n", "1/", "\\text{", "\xff"}) {
    std::string text;
    while (text.size() < size) text += unit;
    texts.push_back(text);
    texts.push_back("\\boxed{" + text + "}");
  }
  for (const auto& text : texts) {
    const Timer timer;
    for (const auto& name : verifier_names()) {
      if (has_structured_gold(name)) continue;  // whose gold field is no number: tests of their own
      (void)make_verifier(name)->verify({.text = text, .truncated = false, .prompt_text = text}, "5");
    }
    (void)grade(text, text);
    EXPECT_LT(timer.seconds(), 1.0) << text.substr(0, 20);
  }
}

TEST(BoxedExact, IsTheRuleOfTheSuite) {
  const auto verifier = make_verifier("boxed_exact");
  const auto verdict = [&](std::string_view text, bool truncated = false) {
    return verifier->verify({.text = text, .truncated = truncated, .prompt_text = "<bos> 5 z +4 ? <think>"}, "9");
  };
  EXPECT_TRUE(verdict("z 5 +4 #9 </think> \\boxed{ 9 } <eos>").correct);
  EXPECT_TRUE(verdict("</think> \\boxed{ 9 }").format_ok);
  EXPECT_FALSE(verdict("z 5 +4 #9 </think> \\boxed{ 8 } <eos>").correct);
  EXPECT_TRUE(verdict("z 5 +4 #9 </think> \\boxed{ 8 } <eos>").format_ok);
  EXPECT_EQ(verdict("z 5 +4 #9 </think> \\boxed{ 8 } <eos>").answer, "8");
  for (const char* broken :
       {"\\boxed{ 9 } <eos>", "</think> </think> \\boxed{ 9 } <eos>", "</think> \\boxed{ 9 } 9 <eos>",
        "</think> 9 <eos>", "", "</think> \\boxed{ 9 <eos>", "</think> \\boxed{ } <eos>"}) {
    EXPECT_FALSE(verdict(broken).correct) << broken;
    EXPECT_FALSE(verdict(broken).format_ok) << broken;
  }
  EXPECT_FALSE(verdict("</think> \\boxed{ 9 }", true).correct);
  EXPECT_TRUE(verdict("</think> \\boxed{ 9 }", true).truncated);
  const auto untagged = make_verifier("boxed_exact", {{"require_thinking_end", "false"}});
  EXPECT_TRUE(untagged->verify({.text = "\\boxed{9}", .truncated = false, .prompt_text = {}}, "9").correct);
}

TEST(OtherVerifiers, ExactAndNumeric) {
  EXPECT_TRUE(make_verifier("exact")
                  ->verify({.text = "<think>a</think> Paris ", .truncated = false, .prompt_text = {}}, "Paris")
                  .correct);
  EXPECT_FALSE(
      make_verifier("exact")->verify({.text = "paris", .truncated = false, .prompt_text = {}}, "Paris").correct);
  EXPECT_TRUE(make_verifier("exact", {{"ignore_case", "true"}})
                  ->verify({.text = "paris", .truncated = false, .prompt_text = {}}, "Paris")
                  .correct);
  EXPECT_TRUE(make_verifier("numeric")
                  ->verify({.text = "from 3 to 4.50", .truncated = false, .prompt_text = {}}, "4.5")
                  .correct);
  EXPECT_FALSE(
      make_verifier("numeric")->verify({.text = "none", .truncated = false, .prompt_text = {}}, "4.5").answer_found);
}

template <typename F>
std::string message_of(F work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(MakeVerifier, NamesTheNearest) {
  EXPECT_THAT(message_of([] { make_verifier("maths"); }), testing::HasSubstr("did you mean `math`"));
  EXPECT_THAT(message_of([] {
                make_verifier("math", {{"tolerence", "0.1"}});
              }),
              testing::HasSubstr("did you mean `tolerance`"));
  EXPECT_THAT(message_of([] { make_verifier("math", {{"tolerance", "-1"}}); }), testing::HasSubstr("found `-1`"));
  EXPECT_THAT(message_of([] {
                make_verifier("math", {{"percent", "exakt"}});
              }),
              testing::HasSubstr("did you mean `exact`"));
  EXPECT_THAT(message_of([] {
                make_verifier("exact", {{"tolerance", "1"}});
              }),
              testing::HasSubstr("no option `tolerance`"));
  EXPECT_THAT(message_of([] { grade("1", "1", "math", "strickt"); }), testing::HasSubstr("did you mean `strict`"));
}

TEST(Grade, ReportsBothAnswers) {
  const auto right = grade("He pays 3*6=18\n#### 18", "So it is \\boxed{18}");
  EXPECT_TRUE(right.correct);
  EXPECT_EQ(right.answer, "18");
  EXPECT_EQ(right.gold_answer, "18");
  EXPECT_FALSE(grade("18", "").answer.has_value());
  EXPECT_FALSE(grade("18", "the answer is 18", "math", "strict").correct);
  EXPECT_TRUE(grade("3.14159", "3.1416", "math", "lenient").correct);
}

TEST(MathVerifier, FindsAnswersInSentences) {
  const std::vector<Pair> right = {{"-3.5", "The result is \u22123.5 in the end"},
                                   {"12", "\u7b54\u6848\u662f12\u4e2a\u82f9\u679c"},
                                   {"13/28", "\u8ba1\u5212\u7684\u6bd4\u4f8b\u4e3a13/28"},
                                   {"A", "The answer is A because (B) and (C) are wrong."},
                                   {"D", "The answer: D, it makes no sense for it to be A or B"},
                                   {"C", "Weighing the options...\n\n**C**."},
                                   {"10", "#### The numeric answer is 10."},
                                   {"10", "Answer \\( (9+1) \\)"},
                                   {"54", "\\boxed{\\text{The area of ABC is } 54}"},
                                   {"f(x) = \\left\\{2", "\\boxed{f(x) = \\left\\{2 \\right.}"}};
  for (const auto& [gold, text] : right) EXPECT_TRUE(grade(gold, text).correct) << gold << " | " << text;
  const std::vector<Pair> wrong = {{"3.5", "The result is \u22123.5 in the end"},
                                   {"A", "The answer is A or B"},
                                   {"A", "The answer is A, or B"},
                                   {"71/6", "11\n5/6"}};
  for (const auto& [gold, text] : wrong) EXPECT_FALSE(grade(gold, text).correct) << gold << " | " << text;
}

}  // namespace
}  // namespace laconic::rewards

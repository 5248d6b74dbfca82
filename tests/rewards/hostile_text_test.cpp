// What nobody may get out of the math verifier: time, a crash, or a reward without an answer.
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/verifier.h"

namespace laconic::rewards {
namespace {

std::string repeated(const std::string& unit, size_t bytes) {
  std::string text;
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

// Of this thread's processor, the best of three: a busy machine is not taken for a slow verifier.
double seconds_of(const Verifier& verifier, const std::string& prediction, const std::string& gold) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  double best = 1e9;
  for (int run = 0; run < 3 && best > 0.005; ++run) {
    const double start = now();
    (void)verifier.verify({.text = prediction, .truncated = false, .prompt_text = {}}, gold);
    best = std::min(best, now() - start);
  }
  return best;
}

// Many costly elements, against the same ones from last to first.
TEST(HostileText, LongListsTakeLessThanTenMilliseconds) {
  const std::vector<std::pair<std::string, std::string>> elements = {
      {"(x+y+", ")^4"},      {"\\sqrt{100000", "}+\\sqrt{7}"},
      {"(", "+2i)^7"},       {"e^{", "}+1"},
      {"(n+", ")!"},         {"\\lfloor x+", "\\rfloor"},
      {"\\sin(x+", ")"},     {"2^{\\sqrt{", "}}"},
      {"\\log_3(x-", ")"},   {"1\\pm\\sqrt{", "}"},
      {"\\frac{x}{y+", "}"}, {"6=", ""},
      {"(x+y+z+", ")^6=w"},  {"\\sqrt{x+", "}+y^2=1"},
      {"e^{x+", "}=y"},      {"\\sin(x+", ")<y+z"}};
  for (const char* policy : {"math_verify", "strict", "lenient"}) {
    const auto verifier = make_verifier("math", {{"policy", policy}});
    for (const auto& [before, after] : elements) {
      for (const int count : {20, 40, 60}) {
        std::string up, down;
        for (int i = 1; i <= count; ++i) {
          up += (i == 1 ? "" : ", ") + before + std::to_string(i) + after;
          down += (i == 1 ? "" : ", ") + before + std::to_string(count + 1 - i) + after;
        }
        EXPECT_LT(seconds_of(*verifier, "\\boxed{" + down + "}", up), 0.010) << policy << ": " << up.substr(0, 60);
        EXPECT_LT(seconds_of(*verifier, "\\boxed{\\{" + down + "\\}}", "\\{" + up + "\\}"), 0.010)
            << policy << ", set: " << up.substr(0, 60);
      }
    }
  }
}

TEST(HostileText, TakesLessThanTenMilliseconds) {
  std::vector<std::string> texts = {"9^{9^{9^9}}",
                                    "9^9^9^9",
                                    "(((9^9)^9)^9)^9",
                                    "100000!",
                                    "170!^170!",
                                    "\\binom{200}{100}^{50}",
                                    "2^{100000000000000000000}",
                                    "1e999999",
                                    "0.1^{0.1^{0.1^{0.1}}}",
                                    "(x+y+z+1)^{64}",
                                    "(x+y+z+w+1)^{20} (x-y)^{20}",
                                    "\\sqrt{123456789012345678901234567890123456789012345678901234567890}"};
  for (const std::string unit : {"{",
                                 "(",
                                 "[",
                                 "|",
                                 "\\{",
                                 "\\frac{",
                                 "\\sqrt{",
                                 "\\sqrt",
                                 "\\left(",
                                 "-",
                                 "+",
                                 "x",
                                 "9",
                                 "x^",
                                 "2^{",
                                 "!",
                                 "1,",
                                 "1;",
                                 "\\sin ",
                                 "\\sin(",
                                 "\\ln(x+",
                                 "\\begin{pmatrix}",
                                 "\\begin{pmatrix}1&",
                                 "\\\\",
                                 "=",
                                 "<",
                                 "\\cup(1,2)",
                                 "\\pm 1+",
                                 "1 or ",
                                 "0.(3)",
                                 "\\overline{",
                                 "{,}",
                                 "\\text{a",
                                 "$",
                                 "a b ",
                                 "\xcf\x80",
                                 "\xff",
                                 "km/",
                                 "x_",
                                 "1_2",
                                 "170!+",
                                 "2^{99}/3^{99}+",
                                 "\\sqrt{7}+",
                                 "(x+1)(y+2)",
                                 "x=",
                                 "\\boxed{",
                                 "\\boxed{\\}",
                                 "\\implies ",
                                 "answer is ",
                                 "#### ",
                                 "<answer>",
                                 "</answer>",
                                 "\\(",
                                 "\\[1\\]",
                                 "1/",
                                 ".9"}) {
    for (const size_t bytes : {size_t{500}, size_t{4000}, size_t{10000}, size_t{1} << 20})
      texts.push_back(repeated(unit, bytes));
  }
  for (const char* policy : {"math_verify", "strict", "lenient"}) {
    const auto verifier = make_verifier("math", {{"policy", policy}});
    for (const auto& text : texts) {
      EXPECT_LT(seconds_of(*verifier, text, "5"), 0.010)
          << policy << ", plain: " << text.substr(0, 30) << " x " << text.size();
      EXPECT_LT(seconds_of(*verifier, "\\boxed{" + text + "}", "5"), 0.010)
          << policy << ", boxed: " << text.substr(0, 30) << " x " << text.size();
      const std::string half = text.substr(0, text.size() / 2);
      EXPECT_LT(seconds_of(*verifier, "\\boxed{1+" + half + "}", half), 0.010)
          << policy << ", both: " << text.substr(0, 30) << " x " << text.size();
    }
  }
}

struct Probe {
  std::string gold, prediction;
};

TEST(Gaming, EarnsNothing) {
  const std::vector<Probe> probes = {
      {"5", "\\boxed{5} or \\boxed{6}"},  // the last one counts
      {"5", "\\boxed{4, 5, 6}"},          // several answers in one box
      {"5", "\\boxed{4 \\text{ or } 5}"},
      {"B", "\\boxed{A, B, C, D}"},  // all choices
      {"B", "\\boxed{\\text{A or B}}"},
      {"B", "\\boxed{ABCD}"},
      {"5", "\\boxed{}"},  // nothing
      {"5", "\\boxed{\\emptyset}"},
      {"5", "\\boxed{\\{\\}}"},
      {"5", "\\boxed{x = x}"},  // says nothing
      {"x = 5", "\\boxed{x = x}"},
      {"x = 5", "\\boxed{0 = 0}"},
      {"x = 5", "\\boxed{2x + 1 = 11}"},  // the equation and not its solution
      {"x > 3", "\\boxed{2x > 6}"},
      {"(3, \\infty)", "\\boxed{2x > 6}"},
      {"x = 5", "\\boxed{x = 5 + x - x}"},
      {"5", "\\boxed{\\text{the answer}}"},
      {"5", "\\boxed{?}"},
      {"", "\\boxed{5}"},  // no gold answer to be right about
      {"\\boxed{}", "\\boxed{}"},
      {"5", "<think>\\boxed{5}"},  // still thinking
      {"5", "\\boxed{5"},
      {"[0,1]", "\\boxed{(-\\infty,\\infty)}"},
      {"0.5", "\\boxed{[0,1]}"},
      {"7", "\\boxed{\\pm 7}"},
      {"10", "\\boxed{1,0}"},
      {"1/2", "\\boxed{x/(2x) \\text{ or anything}}"},
      {"3", "\\boxed{n}"},
      {"5", "\\boxed{6 = 5}"},  // false
      {"x = 5", "\\boxed{x = 6 = 5}"},
      {"5", "\\boxed{6 = x = 5}"},
      {"1.5", "\\boxed{1.5 = 1.6}"},  // two values
      {"C", "\\boxed{(C), 77}"},
      {"C", "\\boxed{(C) or 77}"},
      {"C", "\\boxed{(C)+1}"},
      {"1, 2, 3", "\\boxed{1, 2, 3, ...}"},       // a list without an end
      {"(x-a)^{6000}", "\\boxed{(x-a)^{5999}}"},  // both too small to be told from zero
      {"I(0) e^{-t}", "\\boxed{0}"},
      {"\\binom{n}{30}", "\\boxed{0}"},  // 0 for most n
      {"n \\bmod 1000", "\\boxed{n}"},   // the same for small n
      {"20\\%", "\\boxed{20^\\circ}"},
      {"x > 3", "\\boxed{y > 3}"},
  };
  for (const auto& [gold, prediction] : probes) {
    for (const char* policy : {"math_verify", "strict", "lenient"})
      EXPECT_FALSE(grade(gold, prediction, "math", policy).correct) << policy << ": " << gold << " | " << prediction;
  }
  EXPECT_FALSE(grade("5", "\\boxed{6} so \\boxed{5}", "math", "strict").correct);
  EXPECT_TRUE(grade("5", "\\boxed{5} so \\boxed{5}", "math", "strict").correct);
}

TEST(Gaming, AQuestionIsNoAnswer) {
  const auto verifier = make_verifier("math");
  const auto correct = [&](std::string_view question, std::string_view answer, std::string_view gold) {
    return verifier->verify({.text = answer, .truncated = false, .prompt_text = question}, gold).correct;
  };
  EXPECT_FALSE(correct("What is $17 \\cdot 23 + 4$?", "\\boxed{17 \\cdot 23+4}", "395"));
  EXPECT_FALSE(correct("What is $17 \\cdot 23 + 4$?", "It is \\boxed{17\\cdot23 + 4}", "395"));
  EXPECT_TRUE(correct("What is $17 \\cdot 23 + 4$?", "\\boxed{395}", "395"));
  EXPECT_FALSE(correct("Compute \\sqrt{144}.", "\\boxed{\\sqrt{144}}", "12"));
  EXPECT_FALSE(correct("Simplify $\\frac{x^2-1}{x-1}$.", "\\boxed{\\frac{x^2 - 1}{x - 1}}", "x+1"));
  EXPECT_FALSE(correct("Expand $(x+1)^2$.", "\\boxed{(x+1)^2}", "x^2+2x+1"));
  EXPECT_TRUE(correct("Expand $(x+1)^2$.", "\\boxed{1 + 2x + x^2}", "x^2+2x+1"));
  EXPECT_TRUE(correct("Is it $x/2$ or $2x$?", "\\boxed{x/2}", "\\frac{x}{2}"));
  EXPECT_TRUE(correct("Which solves it, $x=5$ or $x=7$?", "\\boxed{x=5}", "5"));
  // What is in its simplest form may stand in the question.
  EXPECT_TRUE(correct("Which is larger, $\\sqrt{2}$ or $\\sqrt{3}$?", "\\boxed{\\sqrt{3}}", "\\sqrt{3}"));
  EXPECT_TRUE(correct("Is 3/4 or 2/3 larger?", "\\boxed{3/4}", "\\frac{3}{4}"));
}

}  // namespace
}  // namespace laconic::rewards

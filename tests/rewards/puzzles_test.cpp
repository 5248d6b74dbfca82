// Number puzzles, sudoku and alphametics: what is right, what is wrong, and what is no puzzle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/rewards/alphametic_verifier.h"
#include "laconic/rewards/arithmetic.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/numbers_verifier.h"
#include "laconic/rewards/sudoku_verifier.h"
#include "laconic/rewards/verifier.h"
#include "tests/support/error_of.h"

namespace laconic::rewards {
namespace {

using testing::HasSubstr;

std::string reason(const std::string& verifier, const std::string& gold, const std::string& text,
                   const VerifierOptions& options = {}) {
  const auto result = grade(gold, text, verifier, "default", options);
  return (result.correct ? "right: " : "wrong: ") + result.reason;
}

TEST(Arithmetic, WhatIsCounted) {
  const auto value = [](std::string_view text) {
    const auto result = evaluate_arithmetic(text);
    return result.value ? result.value->str() : result.problem;
  };
  EXPECT_EQ(value("(1+2)*3"), "9");
  EXPECT_EQ(value("8/(3-8/3)"), "24");
  EXPECT_EQ(value("2 - 3 - 4"), "-5");
  EXPECT_EQ(value("100/10/5"), "2");
  EXPECT_EQ(value("6 \u00d7 4 \u00f7 3 \u2212 1"), "7");
  EXPECT_EQ(value("\\left(1+2\\right) \\times \\frac{6}{1+1}"), "9");
  EXPECT_EQ(value("\uFF08\uFF11\uFF0B2\uFF09\u00D7\uFF13"), "9") << "full-width";
  EXPECT_EQ(value("\\dfrac{\\frac{8}{2}}{2} \\cdot 3"), "6");
  EXPECT_EQ(value("-3 + 5"), "a sign in front of a number or a parenthesis is not allowed");
  EXPECT_EQ(value("5 * (-3)"), "a sign in front of a number or a parenthesis is not allowed");
  EXPECT_EQ(value("5 - -3"), "a sign in front of a number or a parenthesis is not allowed");
  EXPECT_EQ(value("2 ** 3"), "two signs in a row (powers and whole-number division are not allowed)");
  EXPECT_EQ(value("2^3"), "powers are not allowed");
  EXPECT_EQ(value("3!"), "factorials are not allowed");
  EXPECT_EQ(value("2(3)"), "no sign between two values");
  EXPECT_EQ(value("1 2"), "no sign between two values");
  EXPECT_EQ(value("1.5 * 2"), "only whole numbers are allowed");
  EXPECT_EQ(value("1 / (2 - 2)"), "division by zero");
  EXPECT_EQ(value("(1 + 2"), "the expression ends too early");
  EXPECT_EQ(value(""), "the expression ends too early");
  EXPECT_EQ(value("F{1}{2}"), "not an expression of numbers with + - * / and parentheses");
  EXPECT_EQ(value("[1+2] x {3}"), "9");
  EXPECT_EQ(value("\\Bigl[ 1 + 2 \\Bigr] \\* 3 \\quad"), "9");
  EXPECT_EQ(value("\uff081\uff0b2\uff09\u2009\u2022\u00a03 \u2013 1"), "8");
  EXPECT_EQ(value("8/(3-\\frac83)"), "24");
  EXPECT_EQ(value("\\frac834"), "no sign between two values");
  EXPECT_EQ(value("3\\left4"), "no sign between two values");
  EXPECT_EQ(value("3\u200b4"), "not an expression of numbers with + - * / and parentheses");
  EXPECT_EQ(value("(1 + 2]"), "not an expression of numbers with + - * / and parentheses");
  EXPECT_EQ(value("1234567890123456789"), "a number has too many digits");
}

const std::string kCountdown = R"({"numbers": [3, 4, 5], "target": 35})";

TEST(Countdown, Answers) {
  const auto graded = [](const std::string& text) { return reason("countdown", kCountdown, text); };
  for (const char* text :
       {"<answer>(3 + 4) * 5</answer>", "<answer> 5 * (4+3) = 35 </answer>", "\\boxed{(3+4)\\times 5}", "(3+4)*5",
        "I try 3*4*5.\nThe answer is (3 + 4) * 5.", "<answer>$(3+4) \\cdot 5 = 7 \\cdot 5 = 35$</answer>",
        "So:\n(3 + 4) * 5 = 35", "<think>3*4*5</think><answer>(3+4)*5</answer><|im_end|>"})
    EXPECT_EQ(graded(text), "right: makes 35 of the given numbers") << text;
  EXPECT_EQ(graded("<answer>(3+4)*5 = 36</answer>"), "wrong: the equation is false");
  EXPECT_THAT(graded("<answer>35</answer>"), HasSubstr("uses the numbers 35, given are 3 4 5"));
  EXPECT_EQ(graded("<answer>35 = (3+4)*5</answer>"), "right: makes 35 of the given numbers");
  EXPECT_EQ(graded("35 = (3+4)*5 = 7*5"), "right: makes 35 of the given numbers");
  EXPECT_THAT(graded("<answer>35 = 35 = (3+4)*5</answer>"), HasSubstr("uses the numbers 35"));
  EXPECT_THAT(graded("<answer>7*5 = (3+4)*5</answer>"), HasSubstr("uses the numbers 7 5"));
  EXPECT_EQ(graded("<answer>3+4 = 7*5 = 35</answer>"), "wrong: the equation is false");
  EXPECT_THAT(graded("<answer>(3+4)*5*1</answer>"), HasSubstr("uses the numbers 3 4 5 1"));
  EXPECT_EQ(graded("<answer>34 + 1</answer>"), "wrong: uses the numbers 34 1, given are 3 4 5");
  EXPECT_EQ(graded("<answer>3*4*5</answer>"), "wrong: does not make 35");
  EXPECT_THAT(graded("<answer>(3+4)*5 or 3*4*5</answer>"), HasSubstr("wrong: no"));
  EXPECT_THAT(graded("<answer>(3+4)*5, 3*4*5</answer>"), HasSubstr("wrong"));
  EXPECT_THAT(graded("<answer>(3+4)*5</answer> no, <answer>3*4+5</answer>"), HasSubstr("does not make"));
  EXPECT_THAT(graded(""), HasSubstr("the answer is empty"));
  EXPECT_THAT(graded("<answer></answer>"), HasSubstr("empty"));
  EXPECT_THAT(graded("Make 35 out of the numbers 3, 4, 5"), HasSubstr("wrong"));
  EXPECT_THAT(graded("<answer>3, 4, 5 -> 35</answer>"), HasSubstr("wrong"));
}

TEST(Countdown, SomeOrAllNumbers) {
  const std::string gold = R"({"nums": [3, 4, 5, 9], "target": 35})";
  EXPECT_THAT(reason("countdown", gold, "<answer>(3+4)*5</answer>"), HasSubstr("uses the numbers"));
  EXPECT_THAT(reason("countdown", gold, "<answer>(3+4)*5</answer>", {{"uses", "some"}}), HasSubstr("right"));
  EXPECT_THAT(reason("countdown", gold, "<answer>(3+4)*5+9-9</answer>", {{"uses", "some"}}), HasSubstr("wrong"));
  EXPECT_THAT(error_of([&] { reason("countdown", gold, "", {{"uses", "al"}}); }), HasSubstr("did you mean `all`"));
}

TEST(Countdown, GoldFields) {
  const auto numbers = [](const char* gold) { return parse_numbers_puzzle(gold).numbers; };
  EXPECT_THAT(numbers(R"({"numbers": "30,100,93", "target": "23"})"), testing::ElementsAre(30, 100, 93));
  EXPECT_THAT(numbers(R"({"nums": [1, 2.0], "target": 3})"), testing::ElementsAre(1, 2));
  EXPECT_THAT(parse_numbers_puzzle("1 1 4 6", 24).numbers, testing::ElementsAre(1, 1, 4, 6));
  const auto problem = [](const char* gold) { return error_of([&] { parse_numbers_puzzle(gold); }); };
  EXPECT_THAT(problem("98"), HasSubstr("expected {\"numbers\""));
  EXPECT_THAT(problem(R"({"numbers": [1, -2], "target": 3})"), HasSubstr("whole number from 0, found -2"));
  EXPECT_THAT(problem(R"({"numbers": [1, "x"], "target": 3})"), HasSubstr("found \"x\""));
  EXPECT_THAT(problem(R"({"numbers": [], "target": 3})"), HasSubstr("a list of 1 to 64 numbers"));
  EXPECT_THAT(problem(R"({"numbers": [1]})"), HasSubstr("target"));
  EXPECT_THAT(problem(R"({"numbers": [1e300], "target": 3})"), HasSubstr("whole number"));
}

TEST(GameOf24, Answers) {
  EXPECT_THAT(reason("game_of_24", "3 3 8 8", "\\boxed{8 / (3 - 8 / 3)}"), HasSubstr("right"));
  EXPECT_THAT(reason("game_of_24", "[4, 4, 6, 8]", "<answer>(4 + 8) * (6 - 4) = 24</answer>"), HasSubstr("right"));
  EXPECT_THAT(reason("game_of_24", "4 4 6 8", "<answer>4 * 6</answer>"), HasSubstr("uses the numbers 4 6"));
  EXPECT_THAT(reason("game_of_24", "4 4 6 8", "<answer>24</answer>"), HasSubstr("wrong"));
  EXPECT_THAT(error_of([] { reason("game_of_24", R"({"numbers": [4], "target": 23})", "4"); }),
              HasSubstr("target: expected 24, found 23"));
}

const std::string kSudoku4 = "12..\n34..\n..43\n..21";

TEST(Sudoku, Answers) {
  const auto graded = [](const std::string& text) { return reason("sudoku", kSudoku4, text); };
  for (const char* text :
       {"<answer>\n1234\n3412\n2143\n4321\n</answer>", "\\boxed{1234341221434321}",
        "Here:\n| 1 2 | 3 4 |\n| 3 4 | 1 2 |\n|-----+-----|\n| 2 1 | 4 3 |\n| 4 3 | 2 1 |\nDone.",
        "[[1,2,3,4],\n [3,4,1,2],\n [2,1,4,3],\n [4,3,2,1]]", "[[1,2,3,4],[3,4,1,2],[2,1,4,3],[4,3,2,1]]",
        "```\n1 2 3 4\n\n3 4 1 2\n\n2 1 4 3\n4 3 2 1\n```",
        "\\boxed{1 & 2 & 3 & 4 \\\\\n3&4&1&2\\\\\n2&1&4&3\\\\\n4&3&2&1}"})
    EXPECT_EQ(graded(text), "right: solves the puzzle") << text;
  EXPECT_EQ(graded("1243\n3412\n2143\n4321"), "wrong: 4 stands twice in column 3");
  EXPECT_EQ(graded("2134\n3412\n1243\n4321"), "wrong: the clue 1 in row 1, column 1 has become 2");
  EXPECT_EQ(graded("1234\n3412\n2143\n432."), "wrong: no full grid found");
  EXPECT_EQ(graded("12..\n34..\n..43\n..21"), "wrong: no full grid found");
  EXPECT_EQ(graded(""), "wrong: no full grid found");
  EXPECT_EQ(graded("1234\n3412\n2143\n4321\nOr rather:\n1243\n3412\n2134\n4321"),
            "wrong: the clue 4 in row 3, column 3 has become 3")
      << "the last grid counts";
  EXPECT_EQ(graded("<answer>1234</answer>\n1234\n3412\n2143\n4321"), "wrong: no full grid found");
}

TEST(Sudoku, LatexArrays) {
  const std::string rows = "1&2&3&4\\\\\n3&4&1&2\\\\ \\hline\n2&1&4&3\\\\\n4&3&2&1";
  EXPECT_THAT(reason("sudoku", kSudoku4, "\\boxed{\\begin{array}{cc|cc}\n\\hline\n" + rows + "\n\\end{array}}"),
              HasSubstr("right"));
  EXPECT_THAT(
      reason("sudoku", kSudoku4, "\\boxed{\\begin{bmatrix}1&2&3&4\\\\3&4&1&2\\\\2&1&4&3\\\\4&3&2&1\\end{bmatrix}}"),
      HasSubstr("right"));
  EXPECT_THAT(reason("sudoku", kSudoku4, "\\begin{array}{cccc 1234341221434321"), HasSubstr("no full grid"));
}

TEST(Sudoku, OtherSizesAndGoldFields) {
  const std::string six = "123456\n456123\n231564\n564231\n312645\n645312";
  EXPECT_THAT(reason("sudoku", "1.3456\n456123\n231564\n564231\n312645\n64531.", six), HasSubstr("right"));
  EXPECT_EQ(reason("sudoku", std::string(36, '0'), "123456\n234561\n345612\n456123\n561234\n612345"),
            "wrong: 2 stands twice in box 1");
  EXPECT_EQ(parse_sudoku(R"({"puzzle": [[1,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,2]]})").at(3, 3), 2);
  EXPECT_EQ(parse_sudoku("1---|----|----|---2").at(3, 3), 2);
  EXPECT_EQ(parse_sudoku("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79").size, 9);
  EXPECT_THAT(error_of([] { parse_sudoku("12"); }), HasSubstr("expected 16, 36 or 81 cells, found 2"));
  EXPECT_THAT(error_of([] { parse_sudoku("11.............."); }), HasSubstr("1 stands twice in row 1"));
  EXPECT_THAT(error_of([] { parse_sudoku("15.............."); }), HasSubstr("digits up to 4, found 5"));
}

TEST(Alphametic, Answers) {
  const auto graded = [](const std::string& text) { return reason("alphametic", "SEND + MORE = MONEY", text); };
  for (const char* text : {"<answer>S=9, E=5, N=6, D=7, M=1, O=0, R=8, Y=2</answer>", "\\boxed{9567 + 1085 = 10652}",
                           "Let S = 8 first. Then:\nS = 9\nE = 5\nN = 6\nD = 7\nM = 1\nO = 0\nR = 8\nY = 2",
                           "The answer is 9567 + 1085 = 10652.",
                           "{\"S\": 9, \"E\": 5, \"N\": 6, \"D\": 7, \"M\": 1, \"O\": 0, \"R\": 8, \"Y\": 2}",
                           "<answer>S -> 9, E -> 5, N -> 6, D -> 7, M -> 1, O -> 0, R -> 8, Y -> 2</answer>",
                           "\\boxed{s=9,e=5,n=6,d=7,m=1,o=0,r=8,y=2}", "$9567+1085=10652$"})
    EXPECT_EQ(graded(text), "right: the sum is true") << text;
  EXPECT_EQ(graded("<answer>9567 + 1085 = 10653</answer>"), "wrong: the addends make 10652, not 10653");
  for (const char* text :
       {"\\boxed{10652 = 9567\\,+\\,1085}", "<answer>SEND = 9567, MORE = 1085, MONEY = 10652</answer>",
        "<answer>SEND + MORE = 9567 + 1085 = 10652; S=9, E=5</answer>",
        "S = 9\nE = 5\nN = 6\nD = 7\nM = 1\nO = 0\nR = 8\nY = 2\nD + E = 2 + 10"})
    EXPECT_EQ(graded(text), "right: the sum is true") << text;
  for (const char* last : {"Y=2.5", "Y=2 or 3", "Y=2|3", "Y=2/1", "Y=2, 3", "Y=1+1"})
    EXPECT_EQ(graded(std::string("<answer>S=9, E=5, N=6, D=7, M=1, O=0, R=8, ") + last + "</answer>"),
              "wrong: no digits of all letters, and no sum in digits")
        << last;
  EXPECT_EQ(graded("<answer>9567 + 1085 = 10652, S=1</answer>"), "wrong: S has two digits");
  EXPECT_EQ(graded("<answer>SEND = 9567, MORE = 1086, MONEY = 10653</answer>"), "wrong: E has two digits");
  EXPECT_EQ(graded("<answer>S=9, E=5</answer>"), "wrong: no digits of all letters, and no sum in digits");
  EXPECT_EQ(graded("<answer>S=9, E=5, N=5, D=7, M=1, O=0, R=8, Y=2</answer>"), "wrong: E and N have the same digit");
  EXPECT_EQ(graded("<answer>S=0, E=5, N=6, D=7, M=1, O=9, R=8, Y=2</answer>"), "wrong: SEND begins with 0");
  EXPECT_EQ(graded("<answer>S=9, S=8, E=5, N=6, D=7, M=1, O=0, R=8, Y=2</answer>"), "wrong: S has two digits");
  EXPECT_EQ(graded("<answer>9567 + 1085 = 10652 or 9557 + 1085 = 10642</answer>"), "wrong: several sums that differ");
  EXPECT_EQ(graded("9567 + 1085 = 10642"), "wrong: a letter has two digits");
  EXPECT_EQ(graded("<answer>S=19, E=5, N=6, D=7, M=1, O=0, R=8, Y=2</answer>"),
            "wrong: no digits of all letters, and no sum in digits");
  EXPECT_THAT(graded("SEND + MORE = MONEY"), HasSubstr("wrong"));
  EXPECT_THAT(graded(""), HasSubstr("empty"));
}

TEST(Alphametic, AnySolutionCounts) {
  EXPECT_THAT(reason("alphametic", "A + B = C", "A=1, B=2, C=3"), HasSubstr("right"));
  EXPECT_THAT(reason("alphametic", "A + B = C", "A=4, B=2, C=6"), HasSubstr("right"));
  EXPECT_THAT(error_of([] { parse_alphametic("SEND MORE"); }), HasSubstr("expected one sum"));
  EXPECT_THAT(error_of([] { parse_alphametic("A1 + B = C"); }), HasSubstr("words"));
  EXPECT_THAT(error_of([] { parse_alphametic("ABCDEF + GHIJK = ABCDEF"); }), HasSubstr("at most 10 letters, found 11"));
  EXPECT_EQ(parse_alphametic(R"({"puzzle": "to+go=out"})").sum, "OUT");
}

TEST(Puzzles, HugeTexts) {
  const std::vector<std::pair<std::string, std::string>> puzzles = {{"countdown", kCountdown},
                                                                    {"game_of_24", "1 2 3 4"},
                                                                    {"sudoku", kSudoku4},
                                                                    {"alphametic", "SEND + MORE = MONEY"}};
  for (const auto& [name, gold] : puzzles) {
    const auto verifier = make_verifier(name);
    for (const char* unit :
         {"(", "1+", "1", "((1)", "=", "\\frac{", "1 ", "1234\n", "S=9,", "9567 + 1085 = ", "\xff", "\\boxed{", "$"}) {
      std::string text;
      while (text.size() < (1 << 20)) text += unit;
      EXPECT_FALSE(verifier->verify({text, false, {}}, gold).correct) << name << unit;
      EXPECT_FALSE(verifier->verify({"<answer>" + text + "</answer>", false, {}}, gold).correct) << name << unit;
    }
  }
}

}  // namespace
}  // namespace laconic::rewards

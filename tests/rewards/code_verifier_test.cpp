// Code in answers: where it stands, which tests a gold field holds, and what passes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/rewards/code_block.h"
#include "laconic/rewards/code_program.h"
#include "laconic/rewards/code_tests.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/verifier.h"
#include "laconic/sandbox/sandbox.h"
#include "tests/support/error_of.h"

namespace laconic::rewards {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

TEST(CodeBlocks, FencesAsPeopleWriteThem) {
  const auto blocks =
      code_blocks("a\n```python\nx\n```\n~~~~ C++ {.numbers}\ny\n```\nz\n~~~~\nb `code` c\n   ```\n```\n");
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_EQ(blocks[0].tag, "python");
  EXPECT_EQ(blocks[0].code, "x\n");
  EXPECT_EQ(blocks[1].tag, "c++");
  EXPECT_EQ(blocks[1].code, "y\n```\nz\n");
  EXPECT_EQ(blocks[2].tag, "");
  EXPECT_EQ(blocks[2].code, "");
  EXPECT_THAT(code_blocks("``` a ``` b\nno block\n    ```\n"), SizeIs(0));
  EXPECT_THAT(code_blocks("```py\r\nx\r\n```\r\n"), SizeIs(1));
}

TEST(CodeBlocks, TheLastThatCounts) {
  const auto found = [](std::string_view text, std::optional<Language> wanted = {}) { return last_code(text, wanted); };
  EXPECT_EQ(found("```py\na\n```\n```python\nb\n```\n```\noutput\n```\n").code, "b\n");
  EXPECT_EQ(found("```\na\n```\n```\nb\n```").code, "b\n");
  EXPECT_EQ(found("```cpp\na\n```\n```python\nb\n```\n", Language::cpp).code, "a\n");
  EXPECT_EQ(found("```cpp\na\n```").language, Language::cpp);
  EXPECT_STREQ(found("no code").problem, "no fenced block of code");
  EXPECT_STREQ(found("```python\na\n```\n```python\nb").problem, "the last block of code is not closed");
  EXPECT_STREQ(found("```json\n{}\n```").problem, "no block of code in the language");
}

TEST(CodeTests, GoldFields) {
  EXPECT_THAT(parse_code_tests(R"j(["assert f(1) == 2", "assert f(2) == 3"])j").tests, SizeIs(2));
  EXPECT_EQ(parse_code_tests(R"j(["assert f(1) == 2"])j").language, Language::python);
  const auto pairs = parse_code_tests(R"j({"inputs": ["1\n", ["2", "3"]], "outputs": ["a", ["b", "c"]]})j");
  EXPECT_EQ(pairs.tests.at(1).input, "2\n3\n");
  EXPECT_EQ(pairs.tests.at(1).expected, "b\nc\n");
  EXPECT_EQ(parse_code_tests(R"j([{"input": "1", "output": "2", "testtype": "stdin"}])j").tests.at(0).expected, "2");
  const auto full = parse_code_tests(R"j({"language": "C++", "setup": "#include <map>", "tests": ["f();"]})j");
  EXPECT_EQ(full.language, Language::cpp);
  EXPECT_EQ(full.setup, "#include <map>\n");
  EXPECT_THAT(parse_code_tests(R"j({"test": "def check(c): assert c(1)", "entry_point": "f"
})j")
                  .tests.at(0)
                  .check,
              HasSubstr("check(f)"));
  EXPECT_EQ(parse_code_tests("assert f(1) == 2\nassert f(2) == 3").tests.size(), 1U);
}

TEST(CodeTests, GoldFieldsThatAreNone) {
  const auto problem = [](std::string_view gold) { return error_of([&] { parse_code_tests(gold); }); };
  EXPECT_THAT(problem(""), HasSubstr("no tests"));
  EXPECT_THAT(problem("[]"), HasSubstr("no tests"));
  EXPECT_THAT(problem("{}"), HasSubstr("one of tests"));
  EXPECT_THAT(problem("[1]"), HasSubstr("[0]"));
  EXPECT_THAT(problem(R"j({"inputs": ["1"], "outputs": []})j"), HasSubstr("as long as inputs"));
  EXPECT_THAT(problem(R"j({"inputs": [1], "outputs": ["a"]})j"), HasSubstr("inputs[0]"));
  EXPECT_THAT(problem(R"j({"tests": ["a"], "language": "rust"})j"), HasSubstr("python or cpp"));
  EXPECT_THAT(problem(R"j(["a", {"input": "", "output": ""}])j"), HasSubstr("mixes"));
}

TEST(CodeOutput, Rules) {
  EXPECT_TRUE(same_output("1 2\n3\n", "1 2 \r\n3\n\n\n", OutputRule::lines));
  EXPECT_FALSE(same_output("1 2\n", "1\n2\n", OutputRule::lines));
  EXPECT_TRUE(same_output("1 2\n", "1\n 2", OutputRule::tokens));
  EXPECT_FALSE(same_output("12", "1 2", OutputRule::tokens));
  EXPECT_FALSE(same_output("1\n", "1", OutputRule::exact));
}

class CodeVerifier : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& state : sandbox::look_at_mechanisms()) {
      if (state.problem.empty()) return;
    }
    GTEST_SKIP() << "neither bubblewrap nor namespaces work here";
  }
  static Verdict graded(const std::string& text, std::string_view gold, const VerifierOptions& options = {}) {
    return make_verifier("code", options)->verify({.text = text, .truncated = false, .prompt_text = {}}, gold);
  }
  static std::string block(const std::string& code, const std::string& tag = "python") {
    return "Here:\n```" + tag + "\n" + code + "\n```\n";
  }
};

TEST_F(CodeVerifier, Statements) {
  const auto gold = R"j(["assert f(1) == 2", "assert f(2) == 3", "assert f(3) == 5"])j";
  const auto half = graded(block("def f(x): return x + 1\nif __name__ == '__main__': raise SystemExit"), gold);
  EXPECT_FALSE(half.correct);
  EXPECT_TRUE(half.format_ok);
  EXPECT_NEAR(half.tests_passed.value(), 2.0 / 3, 1e-9);
  EXPECT_THAT(half.reason, AllOf(HasSubstr("2 of 3 tests passed"), HasSubstr("test 3"), HasSubstr("AssertionError")));
  const auto all = graded(block("def f(x): return x + 1 + (x == 3)"), gold);
  EXPECT_TRUE(all.correct);
  EXPECT_EQ(all.reason, "3 of 3 tests passed");
  EXPECT_EQ(graded(block("def f(x): return 0"), gold, {{"stop_at_failure", "true"}, {"tests", "2"}}).tests_passed, 0.0);
}

TEST_F(CodeVerifier, InputAndOutput) {
  const auto gold = R"j({"inputs": ["1 2\n", "3 4\n"], "outputs": ["3\n", "7\n"]})j";
  EXPECT_TRUE(graded(block("print(sum(map(int, input().split())))"), gold).correct);
  EXPECT_THAT(graded(block("print(3)"), gold).reason, HasSubstr("test 2: another output"));
  EXPECT_THAT(graded(block("1/0"), gold).reason, HasSubstr("ZeroDivisionError"));
}

TEST_F(CodeVerifier, FunctionsByName) {
  const auto gold =
      R"j({"fn_name": "add", "inputs": [[1, 2], ["a", "\u00e9\ud83d\ude00"]], "outputs": [3, "a\u00e9\ud83d\ude00"]})j";
  EXPECT_TRUE(graded(block("def add(a, b): return a + b"), gold).correct);
  EXPECT_TRUE(graded(block("class Solution:\n    def add(self, a, b): return a + b"), gold).correct);
  EXPECT_FALSE(graded(block("def add(a, b): return a"), gold).correct);
}

TEST_F(CodeVerifier, Cpp) {
  const auto program = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }";
  EXPECT_TRUE(graded(block(program, "cpp"), R"j([{"input": "1 2", "output": "3"}])j").correct);
  const auto statements = R"j({"language": "cpp", "tests": ["assert(f(1) == 2)", "assert(f(2) == 4);"]
})j";
  const auto half = graded(block("int f(int x) { return x + 1; }\nint main() { return f(0); }", "c++"), statements);
  EXPECT_NEAR(half.tests_passed.value(), 0.5, 1e-9);
  EXPECT_THAT(half.reason, HasSubstr("signal 6"));
  EXPECT_THAT(graded(block("int f(int x) { return y; }", "cpp"), statements).reason, HasSubstr("does not compile"));
}

TEST_F(CodeVerifier, AProgramThatRemovesItselfFailsTheTestsThatFollow) {
  const auto program = "#include <cstdio>\nint main(int, char** words) { std::remove(words[0]); std::puts(\"1\"); }";
  const auto verdict =
      graded(block(program, "cpp"), R"j([{"input": "", "output": "1"}, {"input": "", "output": "1"}])j");
  EXPECT_NEAR(verdict.tests_passed.value(), 0.5, 1e-9);
  EXPECT_THAT(verdict.reason, HasSubstr("cannot be started"));
}

TEST_F(CodeVerifier, AnEarlyEndIsNoPass) {
  const auto gold = R"j(["assert f(1) == 2"])j";
  for (const char* code : {"import sys; sys.exit(0)", "import os; os._exit(0)", "raise SystemExit", "print('passed')",
                           "def f(x): import os; os._exit(0)",
                           "import builtins\nclass E:\n    def __eq__(s, o): exit()\ndef f(x): return E()"})
    EXPECT_FALSE(graded(block(code), gold).correct) << code;
  const auto cpp = R"j({"language": "cpp", "tests": ["assert(f(1) == 2)"]
})j";
  EXPECT_FALSE(graded(block("#include <cstdlib>\nint f(int) { std::exit(0); }", "cpp"), cpp).correct);
}

TEST_F(CodeVerifier, WhatIsNoAnswer) {
  const auto gold = R"j(["assert True"])j";
  EXPECT_EQ(graded("no code", gold).reason, "no fenced block of code");
  EXPECT_EQ(graded("<think>" + block("x = 1"), gold).reason, "thinking was not closed");
  EXPECT_TRUE(graded("<think>" + block("1/0") + "</think>" + block("x = 1"), gold).correct);
  EXPECT_EQ(graded(block(" "), gold).reason, "the block of code is empty");
  const auto truncated =
      make_verifier("code")->verify({.text = block("x = 1"), .truncated = true, .prompt_text = {}}, gold);
  EXPECT_EQ(truncated.reason, "truncated");
}

TEST_F(CodeVerifier, Limits) {
  const auto gold = R"j(["assert f()"])j";
  EXPECT_THAT(graded(block("def f():\n    while True: pass"), gold, {{"timeout", "0.3"}}).reason,
              HasSubstr("more than 0.3 s"));
  EXPECT_THAT(graded(block("def f(): return bytearray(10**9)"), gold, {{"memory_mib", "64"}}).reason,
              HasSubstr("MemoryError"));
}

TEST_F(CodeVerifier, Options) {
  const auto problem = [](const VerifierOptions& options) { return error_of([&] { make_verifier("code", options); }); };
  EXPECT_THAT(problem({{"sandbox", "non"}}), HasSubstr("did you mean `none`"));
  EXPECT_THAT(problem({{"memory_mib", "0"}}), HasSubstr("memory_mib"));
  EXPECT_THAT(problem({{"timeout", "0"}}), HasSubstr("timeout"));
  EXPECT_THAT(problem({{"python", "/no/such/python"}}), HasSubstr("/no/such/python does not exist"));
  EXPECT_THAT(problem({{"memory_mb", "5"}}), HasSubstr("did you mean `memory_mib`"));
  EXPECT_TRUE(graded(block("x = 1"), "assert x == 1", {{"sandbox", "none"}}).correct);
}

TEST_F(CodeVerifier, Grading) {
  const auto given = grade(R"j(["assert x == 1", "assert x == 2"])j", block("x = 1"), "code");
  EXPECT_EQ(given.gold_answer, "2 tests");
  EXPECT_EQ(given.tests_passed, 0.5);
}

}  // namespace
}  // namespace laconic::rewards

#include "laconic/rewards/code_program.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

using sandbox::Job;

// Runs setup, solution and test in one name space that is not __main__. The secret is read before any of them begins.
constexpr const char* kPythonRunner = R"(import os, sys
def run():
    word = sys.stdin.readline()
    space = {"__name__": "solution"}
    for part in ("setup", "solution", "test"):
        name = os.path.join(sys.argv[1], part + ".py")
        with open(name, encoding="utf-8") as file:
            code = compile(file.read(), part + ".py", "exec")
        exec(code, space)
    sys.stdout.flush()
    os.write(1, b"\n" + word.encode())
run()
)";

std::string without_end_space(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n\f\v");
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string words_alone(std::string_view text) {
  std::string words;
  for (size_t at = 0; (at = text.find_first_not_of(" \t\r\n\f\v", at)) != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(" \t\r\n\f\v", at), text.size());
    words.append(text.substr(at, end - at)).push_back(' ');
    at = end;
  }
  return words;
}

std::string lines_alone(std::string_view text) {
  std::string lines;
  for (const auto& line : split(without_end_space(text), '\n')) lines += without_end_space(line) + "\n";
  return lines;
}

// Behind the solution, whose own main(), if any, has been renamed: one test for each number.
std::string cpp_tests(const CodeTests& tests) {
  std::string text = R"(
#undef main
#undef NDEBUG
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <unistd.h>
int main(int, char** laconic_words) {
  char laconic_word[256];
  const long laconic_size = ::read(0, laconic_word, sizeof laconic_word);
  switch (std::atoi(laconic_words[1])) {
)";
  for (size_t i = 0; i < tests.tests.size(); ++i) {
    std::string check(trim(tests.tests[i].check));
    if (!check.ends_with(';') && !check.ends_with('}')) check += ';';
    text += fmt::format("    case {}: {{\n{}\n    }} break;\n", i, check);
  }
  return text + R"(
    default: return 1;
  }
  std::cout.flush();
  std::fflush(stdout);
  if (::write(1, "\n", 1) != 1 || ::write(1, laconic_word, laconic_size) != laconic_size) return 1;
  return 0;
}
)";
}

}  // namespace

bool same_output(std::string_view expected, std::string_view found, OutputRule rule) {
  switch (rule) {
    case OutputRule::lines:
      return lines_alone(expected) == lines_alone(found);
    case OutputRule::tokens:
      return words_alone(expected) == words_alone(found);
    case OutputRule::exact:
      return expected == found;
  }
  return false;
}

Job build_job(const CodeTests& tests, std::string_view solution, const CodeTools& tools, const std::string& folder) {
  std::string source = tests.setup;
  if (tests.tests.front().by_output()) {
    source += solution;
  } else {
    source += "#define main laconic_main_of_solution\n" + std::string(solution) + cpp_tests(tests);
  }
  Job job;
  job.files = {{"solution.cpp", source}};
  job.words = {tools.compiler};
  for (const auto& flag : split(tools.flags, ' ')) {
    if (!flag.empty()) job.words.push_back(flag);
  }
  for (const auto& word : {folder + "/solution.cpp", std::string("-o"), folder + "/program"}) job.words.push_back(word);
  return job;
}

Job test_job(const CodeTests& tests, size_t index, std::string_view solution, Language language, const CodeTools& tools,
             const std::string& folder, const std::string& word) {
  const CodeTest& test = tests.tests[index];
  Job job;
  job.input = test.by_output() ? test.input : word + "\n";
  if (language == Language::cpp) {
    job.words = {folder + "/program", std::to_string(index)};
    return job;
  }
  job.words = {tools.python, "-I", "-B"};
  if (test.by_output()) {
    job.files = {{"solution.py", tests.setup + std::string(solution)}};
    job.words.push_back(folder + "/solution.py");
  } else {
    job.files = {{"setup.py", tests.setup},
                 {"solution.py", std::string(solution)},
                 {"test.py", test.check},
                 {"run.py", kPythonRunner}};
    job.words.push_back(folder + "/run.py");
    job.words.push_back(folder);
  }
  return job;
}

bool has_passed(const CodeTest& test, const sandbox::JobResult& result, OutputRule rule, const std::string& word) {
  if (!result.good()) return false;
  if (test.by_output()) return same_output(test.expected, result.output, rule);
  return result.output.ends_with("\n" + word + "\n");
}

}  // namespace laconic::rewards

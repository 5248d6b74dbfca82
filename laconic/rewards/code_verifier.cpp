#include "laconic/rewards/code_verifier.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/graded_part.h"

namespace laconic::rewards {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMebi = 1 << 20;
constexpr size_t kMaxAnswer = 1024;
constexpr size_t kMaxCode = 1 << 20;  // bytes of a solution
constexpr size_t kReasonBytes = 300;  // of what a failing test wrote
constexpr const char* kSystemPython = "/usr/bin/python3";

// A word that the tested program cannot guess.
std::string secret() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    fail(ErrorKind::io, "the system has no random bytes");
  std::string word;
  for (const unsigned char byte : bytes) word += fmt::format("{:02x}", byte);
  return word;
}

// The last line that is not empty, as the reason of a failure.
std::string last_line(const std::string& text) {
  const auto end = trim(text);
  const size_t newline = end.rfind('\n');
  return std::string(end.substr(newline == std::string_view::npos ? 0 : newline + 1).substr(0, kReasonBytes));
}

// The folders that an interpreter or compiler outside of the system's needs.
void make_readable(const std::string& program, std::vector<std::string>& readable) {
  if (!program.starts_with('/')) return;
  std::error_code error;
  const auto real = fs::canonical(program, error);
  if (error) fail(ErrorKind::usage, "verifier `code`: {} does not exist", program);
  // BIN's parent has the libraries beside it; both names may be links.
  for (const auto& path : {real, fs::path(program)}) {
    const auto prefix = path.parent_path().parent_path().string();
    if (prefix.size() > 1 && !prefix.starts_with("/usr") &&
        std::find(readable.begin(), readable.end(), prefix) == readable.end())
      readable.push_back(prefix);
  }
}

uint64_t whole(OptionReader& options, const char* name, double fallback) {
  const double value = options.non_negative(name, fallback);
  if (value < 1 || value > 1e9)
    fail(ErrorKind::usage, "verifier `code`: option `{}` must be a number from 1 to 1e9, found {}", name, value);
  return static_cast<uint64_t>(value);
}

double positive(OptionReader& options, const char* name, double fallback) {
  const double value = options.non_negative(name, fallback);
  if (value <= 0 || value > 86400)
    fail(ErrorKind::usage, "verifier `code`: option `{}` must be above 0 and at most 86400 (seconds), found {}", name,
         value);
  return value;
}

}  // namespace

CodeVerifier::CodeVerifier(OptionReader options)
    : thinking_(options.thinking()), truncated_is_wrong_(options.truncated_is_wrong()) {
  const std::vector<std::string> languages = {"auto", "python", "cpp"};
  const auto language = options.choice("language", languages, 0);
  if (language > 0) language_ = static_cast<Language>(language - 1);
  compare_ = static_cast<OutputRule>(options.choice("compare", {"lines", "tokens", "exact"}, 0));
  limits_.wall_seconds = positive(options, "timeout", 10);
  limits_.cpu_seconds = static_cast<uint64_t>(limits_.wall_seconds) + 1;
  limits_.memory_bytes = whole(options, "memory_mib", 512) * kMebi;
  limits_.processes = whole(options, "processes", 16);
  limits_.output_bytes = whole(options, "output_kib", 1024) * 1024;
  sandbox_.scratch_bytes = whole(options, "scratch_mib", 64) * kMebi;
  limits_.file_bytes = sandbox_.scratch_bytes;
  build_limits_ = limits_;
  build_limits_.wall_seconds = positive(options, "build_timeout", 30);
  build_limits_.cpu_seconds = static_cast<uint64_t>(build_limits_.wall_seconds) + 1;
  constexpr uint64_t kCompilerBytes = 1536 * kMebi, kCompilerProcesses = 16;
  build_limits_.memory_bytes = std::max(limits_.memory_bytes, kCompilerBytes);
  build_limits_.processes = std::max(limits_.processes, kCompilerProcesses);
  all_seconds_ = positive(options, "all_timeout", 60);
  most_tests_ = static_cast<size_t>(options.non_negative("tests", 0));
  stop_at_failure_ = options.boolean("stop_at_failure", false);
  tools_.python = options.text("python", ::access(kSystemPython, X_OK) == 0 ? kSystemPython : tools_.python);
  tools_.compiler = options.text("compiler", tools_.compiler);
  tools_.flags = options.text("flags", tools_.flags);
  make_readable(tools_.python, sandbox_.readable);
  make_readable(tools_.compiler, sandbox_.readable);
  auto mechanisms = sandbox::mechanism_names();
  mechanisms.insert(mechanisms.begin(), "auto");
  const auto mechanism = mechanisms[options.choice("sandbox", mechanisms, 0)];
  options.finish();
  sandbox_.mechanism = sandbox::choose_mechanism(mechanism);
}

std::string CodeVerifier::gold_answer(std::string_view gold) const {
  const auto tests = parse_code_tests(gold).tests.size();
  return fmt::format("{} {}", tests, tests == 1 ? "test" : "tests");
}

CodeVerifier::Score CodeVerifier::run(const CodeTests& tests, std::string_view solution, Language language) const {
  const Timer timer;
  Score score;
  score.all = most_tests_ > 0 ? std::min(most_tests_, tests.tests.size()) : tests.tests.size();
  sandbox::Sandbox sandbox(sandbox_);
  if (language == Language::cpp) {
    auto build = build_job(tests, solution, tools_, sandbox.folder());
    build.limits = build_limits_;
    const auto built = sandbox.run(build);
    if (!built.good()) {
      if (built.end == sandbox::JobEnd::not_started)
        fail(ErrorKind::io, "the compiler {} {}", tools_.compiler, describe(built, build.limits));
      score.first_failure = fmt::format("does not compile: {}", built.errors.substr(0, kReasonBytes));
      return score;
    }
  }
  for (size_t i = 0; i < score.all; ++i) {
    if (timer.seconds() > all_seconds_) {
      if (score.first_failure.empty())
        score.first_failure = fmt::format("test {}: no time left of {:.3g} s for all tests", i + 1, all_seconds_);
      break;
    }
    const std::string word = secret();
    auto job = test_job(tests, i, solution, language, tools_, sandbox.folder(), word);
    job.limits = limits_;
    const auto result = sandbox.run(job);
    // Later on it is the solution that has removed its own program.
    if (result.end == sandbox::JobEnd::not_started && i == 0)
      fail(ErrorKind::io, "{} {}", job.words.front(), describe(result, job.limits));
    if (has_passed(tests.tests[i], result, compare_, word)) {
      ++score.passed;
      continue;
    }
    if (score.first_failure.empty()) {
      const auto said = last_line(result.errors);
      score.first_failure =
          fmt::format("test {}: {}{}", i + 1,
                      result.good() ? (tests.tests[i].by_output() ? "another output" : "ended before the test did")
                                    : describe(result, job.limits),
                      said.empty() ? "" : ": " + said);
    }
    if (stop_at_failure_) break;
  }
  return score;
}

Verdict CodeVerifier::verify(const Response& response, std::string_view gold) const {
  const auto tests = parse_code_tests(gold);
  if (response.truncated && truncated_is_wrong_) return not_graded(response, "truncated");
  const auto graded = graded_part(response, thinking_);
  if (graded.reason != nullptr) return not_graded(response, graded.reason);
  const auto wanted = language_ ? language_ : tests.language;
  const auto found = last_code(without_special_tokens(graded.text), wanted);
  if (found.problem != nullptr) return not_graded(response, found.problem);
  if (found.code.size() > kMaxCode) return not_graded(response, "the block of code is too long");
  if (trim(found.code).empty()) return not_graded(response, "the block of code is empty");
  Verdict verdict;
  verdict.truncated = response.truncated;
  verdict.answer_found = true;
  verdict.answer = std::string(trim(found.code).substr(0, kMaxAnswer));
  verdict.format_ok = graded.tags_fit && !response.truncated;
  const auto score = run(tests, found.code, found.language);
  verdict.correct = score.passed == score.all;
  verdict.tests_passed = static_cast<double>(score.passed) / static_cast<double>(score.all);
  verdict.reason = fmt::format("{} of {} tests passed", score.passed, score.all);
  if (!score.first_failure.empty()) verdict.reason += "; " + score.first_failure;
  return verdict;
}

}  // namespace laconic::rewards

#include "laconic/cli/filter.h"

#include <unistd.h>

#include <algorithm>
#include <future>
#include <iostream>
#include <string_view>
#include <utility>

#include "laconic/cli/host.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/thread_pool.h"

namespace laconic::cli {

void declare_filter_options(CommandLine& line) {
  line.section("Input and output");
  line.option("input", "FILE", "read the lines of FILE instead of standard input");
  line.option("output", "FILE",
              "write to FILE instead of standard output; it appears under this name when it is complete");
  line.flag("fail-fast", "end after the first line that fails");
}

FilterSession::FilterSession(const CommandLine& line, Streams& streams)
    : name_(line.command()),
      streams_(streams),
      fail_fast_(line.has("fail-fast")),
      source_(line.text("input", ""), streams.in),
      sink_(line.text("output", ""), line.text("input", ""), streams.out) {
  if (source_.standard() && &streams.in == &std::cin && ::isatty(STDIN_FILENO) == 1)
    streams.err << "laconic " << name_ << ": reading JSON lines from the terminal; Ctrl-D ends them\n";
}

std::optional<Line> FilterSession::next(bool wait) {
  while (wait || source_.ready()) {
    if (!source_.ready()) sink_.flush();  // the reader gets what there is before we sleep
    auto text = source_.next();
    if (!text) return std::nullopt;
    if (trim(*text).empty()) continue;
    return Line{std::move(*text), source_.lines(), read_++};
  }
  return std::nullopt;
}

void FilterSession::put(int64_t index, Answer answer) {
  waiting_[index] = std::move(answer);
  for (auto first = waiting_.begin(); !stopped_ && first != waiting_.end() && first->first == written_;
       first = waiting_.begin()) {
    write(first->second);
    waiting_.erase(first);
    ++written_;
  }
}

void FilterSession::write(const Answer& answer) {
  sink_.write(answer.text);
  for (const auto& note : answer.notes) {
    if (notes_.insert(note).second) streams_.err << "laconic " << name_ << ": note: " << note << "\n";
  }
  if (!answer.failed) return;
  if (failures_++ == 0) first_failure_ = answer.message;
  stopped_ = fail_fast_;
}

int FilterSession::finish() {
  sink_.finish();
  if (failures_ == 0) return kSuccess;
  if (stopped_)
    streams_.err << fmt::format("laconic {}: stopped at {}\n", name_, first_failure_);
  else
    streams_.err << fmt::format("laconic {}: {} of {} lines failed; the first is {}\n", name_, failures_, read_,
                                first_failure_);
  return kFailure;
}

namespace {

// Read ahead for one round of work.
constexpr size_t kLinesPerThread = 64;
constexpr size_t kLinesPerTask = 8;
constexpr size_t kRoundBytes = 16 << 20;

Answer answer_line(const Line& line, const std::vector<std::string>& field_names,
                   const std::function<Json(const Fields&)>& work) {
  Answer answer;
  const auto failed =
      failure_of(line, field_names, [&](const Record& record) { answer = record.answer(work(record.fields())); });
  return failed ? *failed : answer;
}

std::vector<Line> read_round(FilterSession& session, size_t most_lines) {
  std::vector<Line> lines;
  size_t bytes = 0;
  for (auto line = session.next(/*wait=*/true); line; line = session.next(/*wait=*/false)) {
    bytes += line->text.size();
    lines.push_back(std::move(*line));
    if (lines.size() >= most_lines || bytes >= kRoundBytes) break;
  }
  return lines;
}

// Tasks of a few lines each, since one line is often too little work for a task of its own.
std::vector<Answer> answer_round(const std::vector<Line>& lines, ThreadPool& pool,
                                 const std::function<Answer(const Line&)>& answer) {
  std::vector<Answer> answers(lines.size());
  std::vector<std::future<void>> tasks;
  for (size_t begin = 0; begin < lines.size(); begin += kLinesPerTask) {
    tasks.push_back(pool.submit([&, begin] {
      const size_t end = std::min(begin + kLinesPerTask, lines.size());
      for (size_t i = begin; i < end; ++i) answers[i] = answer(lines[i]);
    }));
  }
  for (auto& task : tasks) task.wait();
  for (auto& task : tasks) task.get();
  return answers;
}

}  // namespace

int run_line_filter(const CommandLine& line, Streams& streams, const std::vector<std::string>& field_names,
                    int64_t threads, const std::function<Json(const Fields&)>& work) {
  FilterSession session(line, streams);
  const auto workers = static_cast<size_t>(threads == 0 ? usable_cores() : threads);
  ThreadPool pool(static_cast<int>(workers));
  const auto answer = [&](const Line& one) { return answer_line(one, field_names, work); };
  while (!session.stopped()) {
    const auto lines = read_round(session, workers * kLinesPerThread);
    if (lines.empty()) break;
    const int64_t first = lines.front().index;
    auto answers = lines.size() <= kLinesPerTask ? std::vector<Answer>() : answer_round(lines, pool, answer);
    if (answers.empty()) {
      for (const auto& one : lines) answers.push_back(answer(one));
    }
    for (size_t i = 0; i < answers.size(); ++i) session.put(first + static_cast<int64_t>(i), std::move(answers[i]));
  }
  return session.finish();
}

}  // namespace laconic::cli

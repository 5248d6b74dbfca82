#include "laconic/rewards/external/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "laconic/core/base/error.h"
#include "laconic/core/base/timer.h"
#include "laconic/rewards/external/batch.h"

namespace laconic::rewards {
namespace {

constexpr size_t kLinesKept = 60;
constexpr size_t kLongestPrinted = 400;          // bytes of a line that is shown
constexpr size_t kLongestAnswer = 256UL << 20U;  // bytes of a line that is an answer
constexpr int kPollMilliseconds = 50;            // between looks at the clock
constexpr double kFarewellSeconds = 1;
constexpr double kEndSeconds = 5;  // from the end of its answers to its own, on a busy machine

Descriptor open_null(int flags) {
  return Descriptor(::open("/dev/null", flags | O_CLOEXEC));
}

}  // namespace

Worker::Worker(const WorkerCommand& command) : name_(command.name) {
  auto requests = make_pipe(), answers = make_pipe(), errors = make_pipe();
  sandbox::ChildCommand child{.words = command.words, .descriptors = {{errors.write.get(), STDERR_FILENO}}};
  const auto nothing = open_null(O_RDONLY);
  Pipe prints;
  if (command.channel == Channel::own) {
    prints = make_pipe();
    constexpr int kIn = 3, kOut = 4;
    child.descriptors.insert(child.descriptors.end(), {{nothing.get(), STDIN_FILENO},
                                                       {prints.write.get(), STDOUT_FILENO},
                                                       {requests.read.get(), kIn},
                                                       {answers.write.get(), kOut}});
  } else {
    child.descriptors.insert(child.descriptors.end(),
                             {{requests.read.get(), STDIN_FILENO}, {answers.write.get(), STDOUT_FILENO}});
  }
  child_ = std::make_unique<sandbox::Child>("supervise", child);
  in_ = std::move(requests.write);
  out_.fd = std::move(answers.read);
  errors_.fd = std::move(errors.read);
  printed_.fd = std::move(prints.read);
  for (const auto* fd : {&in_, &out_.fd, &errors_.fd, &printed_.fd}) {
    if (fd->open()) fd->make_nonblocking();
  }
}

Worker::~Worker() {
  in_.close();  // the end of the requests
  child_->wait(kFarewellSeconds);
}

// False at the end of the stream.
bool Worker::read_some(Stream& stream, const std::function<void(std::string_view)>& on_line) {
  std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t n = ::read(stream.fd.get(), buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  std::string_view rest(buffer.data(), static_cast<size_t>(n));
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    stream.unfinished.append(rest.substr(0, end));
    const std::string line = std::move(stream.unfinished);
    stream.unfinished.clear();
    on_line(line);
  }
  stream.unfinished.append(rest);
  return true;
}

void Worker::print(std::string_view line) {
  if (lines_.size() == kLinesKept) lines_.pop_front();
  lines_.emplace_back(line.substr(0, kLongestPrinted));
}

void Worker::add_noise(std::string_view line) {
  ++noise_;
  print(line);
}

// What the user's code has printed so far. A line without an end is cut where it gets too long.
void Worker::read_prints() {
  for (auto* stream : {&printed_, &errors_}) {
    const bool noise = stream == &printed_;
    const auto take = [&](std::string_view line) {
      noise_ += noise;
      print(line);
    };
    constexpr int kReadsAtOnce = 16;
    pollfd ready{stream->fd.get(), POLLIN, 0};
    for (int i = 0; i < kReadsAtOnce && stream->fd.open() && ::poll(&ready, 1, 0) > 0; ++i) {
      const bool open = read_some(*stream, take);
      if (stream->unfinished.size() > kLongestPrinted || (!open && !stream->unfinished.empty())) {
        take(stream->unfinished);
        stream->unfinished.clear();
      }
      if (!open) stream->fd.close();
    }
  }
}

void Worker::fail_ended() {
  child_->wait(kEndSeconds);
  child_->end();
  read_prints();
  throw RewardFailure(FailureKind::ended, fmt::format("the process ended: {}", child_->how_it_ended()));
}

void Worker::exchange(std::string_view request, double seconds, const std::function<bool(std::string_view)>& on_line,
                      const std::function<bool()>& cancelled) {
  const Timer timer;
  bool finished = false;
  const auto hear = [&](std::string_view line) {
    if (finished) {
      add_noise(line);  // more than was asked for
    } else {
      finished = on_line(line);
    }
  };
  while (!finished) {
    if (cancelled()) throw Cancelled{};
    if (timer.seconds() > seconds) {
      read_prints();
      const auto begun = std::string_view(out_.unfinished).substr(0, kLongestPrinted);
      throw RewardFailure(FailureKind::timed_out,
                          fmt::format("no answer within {:.3g} s{}", seconds,
                                      begun.empty() ? "" : fmt::format("; a line without an end is there: {}", begun)));
    }
    std::array<pollfd, 4> watched = {{{request.empty() ? -1 : in_.get(), POLLOUT, 0},
                                      {out_.fd.get(), POLLIN, 0},
                                      {errors_.fd.get(), POLLIN, 0},
                                      {printed_.fd.get(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), kPollMilliseconds);
    read_prints();
    if (watched[0].revents != 0) {
      const auto n = write_quietly(in_.get(), request.data(), request.size());
      if (n > 0) request.remove_prefix(static_cast<size_t>(n));
      if (n < 0 && errno != EAGAIN && errno != EINTR) fail_ended();
    }
    if (watched[1].revents == 0) continue;
    const bool open = read_some(out_, hear);
    if (out_.unfinished.size() > kLongestAnswer)
      throw RewardFailure(FailureKind::bad_answer, fmt::format("a line of more than {} bytes", kLongestAnswer));
    if (!open && !finished) fail_ended();
  }
  if (!request.empty())
    throw RewardFailure(FailureKind::bad_answer, "an answer that came before the request had been read");
}

std::vector<std::string> Worker::take_printed() {
  std::vector<std::string> lines(lines_.begin(), lines_.end());
  lines_.clear();
  return lines;
}

int64_t Worker::take_noise() {
  return std::exchange(noise_, 0);
}

}  // namespace laconic::rewards

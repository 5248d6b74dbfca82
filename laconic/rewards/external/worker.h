// One process that computes rewards, spoken to in lines.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/base/descriptor.h"
#include "laconic/sandbox/child.h"

namespace laconic::rewards {

// Where requests go in and answers come out.
enum class Channel {
  own,       // descriptors 3 and 4: standard output is free for whatever the user's code prints
  standard,  // standard input and output
};

struct WorkerCommand {
  std::string name;  // for messages: "reward.python"
  std::vector<std::string> words;
  Channel channel = Channel::own;
};

class Worker {
 public:
  explicit Worker(const WorkerCommand& command);
  ~Worker();  // lets it end by itself for a moment, then ends it

  // Sends `request` and hands over every line of the answer until `on_line` returns true. Throws RewardFailure
  // (timed_out, ended) and what on_line throws; the worker is of no use afterwards. `cancelled` is asked now and then:
  // true throws Cancelled.
  void exchange(std::string_view request, double seconds, const std::function<bool(std::string_view)>& on_line,
                const std::function<bool()>& cancelled);
  struct Cancelled {};

  // What it printed since the last call, line by line: standard error, and standard output where that is not the
  // channel. The oldest lines are left out when there are too many.
  std::vector<std::string> take_printed();
  // How many lines of them stood on standard output, since the last call.
  int64_t take_noise();
  // Counts a line of the channel that is no answer.
  void add_noise(std::string_view line);

 private:
  // A stream of lines from the worker.
  struct Stream {
    Descriptor fd;
    std::string unfinished;
  };
  bool read_some(Stream& stream, const std::function<void(std::string_view)>& on_line);
  void read_prints();
  void print(std::string_view line);
  [[noreturn]] void fail_ended();

  std::string name_;
  Descriptor in_;
  Stream out_, printed_, errors_;
  std::unique_ptr<sandbox::Child> child_;
  std::deque<std::string> lines_;
  int64_t noise_ = 0;
};

}  // namespace laconic::rewards

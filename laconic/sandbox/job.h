// A program to be run inside of a sandbox, and what came of it: what laconic and laconic-guard say to each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::sandbox {

struct Limits {
  double wall_seconds = 10;
  uint64_t cpu_seconds = 10;          // of one process
  uint64_t memory_bytes = 512 << 20;  // resident, of all processes together; twice as much address space for each
  uint64_t processes = 16;            // threads counted
  uint64_t file_bytes = 16 << 20;     // one file
  uint64_t output_bytes = 1 << 20;    // of standard output and standard error, each
};

struct Job {
  struct File {
    std::string name;  // in the sandbox's folder
    std::string content;
  };
  std::vector<File> files;         // written first
  std::vector<std::string> words;  // the program, with a path or from PATH, and its arguments
  std::string input;               // standard input
  Limits limits;
};

enum class JobEnd : uint8_t {
  exited,       // code: the exit status
  signalled,    // code: the signal
  out_of_time,  // and so on: killed at a limit
  out_of_memory,
  out_of_processes,
  out_of_output,
  out_of_disk,
  not_started,  // code: errno
};

struct JobResult {
  JobEnd end = JobEnd::exited;
  int code = 0;
  double seconds = 0;
  std::string output, errors;  // as far as the limits go

  bool good() const { return end == JobEnd::exited && code == 0; }
};

// "exit status 1", "signal 11 (Segmentation fault)", "more than 10 s", ...
std::string describe(const JobResult& result, const Limits& limits);

}  // namespace laconic::sandbox

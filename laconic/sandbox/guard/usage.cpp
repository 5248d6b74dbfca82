#include "laconic/sandbox/guard/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace laconic::guard {
namespace {

std::string read_small(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  ::close(fd);
  return text;
}

std::vector<std::string> threads_of(const std::string& pid) {
  std::vector<std::string> threads;
  DIR* folder = ::opendir(("/proc/" + pid + "/task").c_str());
  if (folder == nullptr) return threads;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') threads.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  return threads;
}

uint64_t resident_bytes(const std::string& pid) {
  unsigned long size = 0, resident = 0;
  if (std::sscanf(read_small("/proc/" + pid + "/statm").c_str(), "%lu %lu", &size, &resident) != 2) return 0;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Usage usage_of_descendants() {
  Usage usage;
  std::vector<std::string> waiting = {"self"};
  while (!waiting.empty()) {
    const std::string pid = waiting.back();
    waiting.pop_back();
    const auto threads = threads_of(pid);
    if (pid != "self") {
      usage.processes += threads.size();
      usage.memory_bytes += resident_bytes(pid);
    }
    for (const auto& thread : threads) {
      const std::string children = read_small("/proc/" + pid + "/task/" + thread + "/children");
      for (size_t begin = 0, end; (end = children.find(' ', begin)) != std::string::npos; begin = end + 1)
        waiting.push_back(children.substr(begin, end - begin));
    }
  }
  return usage;
}

}  // namespace laconic::guard

#include "laconic/cli/host.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

// "model name	: X" of /proc/cpuinfo and "MemTotal:   123 kB" of /proc/meminfo alike.
std::string proc_value(const std::string& file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos && trim(std::string_view(line).substr(0, colon)) == key)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return "";
}

int64_t leading_number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Of the container, version 2 or 1 of the control groups; 0 where there is none.
int64_t memory_limit() {
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream stream(file);
    std::string text;
    if (std::getline(stream, text)) return leading_number(text);  // "max" reads as 0
  }
  return 0;
}

bool can_write(const std::string& folder) {
  std::string name = (std::filesystem::path(folder) / ".laconic_probe_XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) return false;
  const bool written = ::write(file, "x", 1) == 1;
  ::close(file);
  ::unlink(name.c_str());
  return written;
}

}  // namespace

int64_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Processor host_processor() {
  Processor processor;
  processor.name = proc_value("/proc/cpuinfo", "model name");
  processor.cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  const auto flags = split(proc_value("/proc/cpuinfo", "flags"), ' ');
  for (const char* feature :
       {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "amx_bf16"}) {
    if (std::find(flags.begin(), flags.end(), feature) != flags.end()) processor.features.emplace_back(feature);
  }
  return processor;
}

Memory host_memory() {
  constexpr int64_t kUnit = 1024;
  Memory memory;
  memory.total_bytes = kUnit * leading_number(proc_value("/proc/meminfo", "MemTotal"));
  memory.available_bytes = kUnit * leading_number(proc_value("/proc/meminfo", "MemAvailable"));
  const int64_t limit = memory_limit();
  memory.usable_bytes = limit > 0 ? std::min(limit, memory.total_bytes) : memory.total_bytes;
  return memory;
}

Disk host_disk(const std::string& folder) {
  Disk disk;
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) == 0) {
    disk.total_bytes = static_cast<int64_t>(info.f_blocks * info.f_frsize);
    disk.free_bytes = static_cast<int64_t>(info.f_bavail * info.f_frsize);
  }
  disk.writable = can_write(folder);
  return disk;
}

std::string find_program(const std::string& name, const std::vector<std::string>& further_folders) {
  const char* path = std::getenv("PATH");
  auto folders = split(path != nullptr ? path : "", ':');
  folders.insert(folders.end(), further_folders.begin(), further_folders.end());
  for (const auto& folder : folders) {
    std::string candidate = folder + "/" + name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

}  // namespace laconic::cli

#include "laconic/trainers/memory.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace laconic::trainers {
namespace {

// A "Name:   123 kB" line of a /proc file, in bytes.
int64_t proc_bytes(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  int64_t kilobytes = 0;
  while (file >> word) {
    if (word == name + ":" && file >> kilobytes) return kilobytes * 1024;
    file.ignore(1 << 20, '\n');
  }
  return 0;
}

}  // namespace

int64_t machine_memory_bytes() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(::sysconf(_SC_PAGE_SIZE));
}

int64_t available_memory_bytes() {
  return proc_bytes("/proc/meminfo", "MemAvailable");
}

int64_t resident_bytes() {
  return proc_bytes("/proc/self/status", "VmRSS");
}

int64_t peak_resident_bytes() {
  return proc_bytes("/proc/self/status", "VmHWM");
}

void reset_peak_resident() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace laconic::trainers

// What this machine is: processor, memory, disk, programs and libraries. Nothing here throws; what cannot be found out
// is empty or 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::cli {

// The cores that this process may use, at least 1.
int64_t usable_cores();

struct Processor {
  std::string name;                   // "Intel(R) Xeon(R) Platinum 8481C"
  int64_t cores = 0;                  // of the machine, hardware threads counted
  std::vector<std::string> features;  // of those that laconic has code for: avx2, fma, avx512f, ...
};
Processor host_processor();

struct Memory {
  int64_t total_bytes = 0;      // of the machine
  int64_t available_bytes = 0;  // now
  int64_t usable_bytes = 0;     // total, or the limit of the container where that is less
};
Memory host_memory();

struct Disk {
  int64_t total_bytes = 0, free_bytes = 0;
  bool writable = false;  // a file could be created in the folder, and was removed again
};
Disk host_disk(const std::string& folder);

// The path of a program as the shell would find it, or in one of the further folders; "" where there is none.
std::string find_program(const std::string& name, const std::vector<std::string>& further_folders = {});

}  // namespace laconic::cli

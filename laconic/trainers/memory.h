// What this process and this machine have of memory.
#pragma once

#include <cstdint>

namespace laconic::trainers {

int64_t machine_memory_bytes();
// Memory that could be had now without swapping.
int64_t available_memory_bytes();
// Resident memory of this process now, and its peak since the start or the last reset (0 where the system hides it).
int64_t resident_bytes();
int64_t peak_resident_bytes();
void reset_peak_resident();

}  // namespace laconic::trainers

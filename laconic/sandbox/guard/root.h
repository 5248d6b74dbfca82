// The world that programs in a sandbox see: the system's programs and libraries, read-only, and a scratch folder.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::guard {

inline constexpr const char* kWork = "/work";  // the scratch folder inside
inline constexpr const char* kGuardInside = "/laconic-guard";
inline constexpr uint64_t kScratchInodes = 20000;

// Whatever fails here says so on standard error and ends the process.
[[noreturn]] void fail_with(const std::string& what, int error);

// Both: root becomes nobody first, if nobody may make namespaces, since some limits do not hold for root; all ends with
// the parent.

// Replaces this process by bwrap, which runs `laconic-guard inside ...` as process 1 of its namespaces.
[[noreturn]] void become_bubblewrap(pid_t parent, uint64_t scratch_bytes, const std::vector<std::string>& readable);

// Enters new namespaces and runs the rest of the program as their process 1: returns there, never in the process that
// called, which waits and ends with it.
void enter_namespaces(pid_t parent, uint64_t scratch_bytes, const std::vector<std::string>& readable);

}  // namespace laconic::guard

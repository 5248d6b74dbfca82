// The `laconic` program.
#include <malloc.h>

#include <iostream>

#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"

namespace {

// By default glibc maps every large buffer afresh and gives it back when it is freed, so that each step of a run pays
// for the same page faults again (and the kernel zeroes the same memory again). A step frees and allocates the same
// sizes over and over: they stay in the heap instead. 32 MiB is the largest threshold that glibc takes; setting any of
// the three also ends its own adjustment of them.
void keep_large_buffers() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, -1);  // never give the top of the heap back
  ::mallopt(M_TOP_PAD, 64 << 20);   // and let it grow in large steps
}

}  // namespace

int main(int argc, char** argv) {
  keep_large_buffers();
  // Without C's stdio underneath, the streams buffer for themselves and can tell what has arrived already.
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  laconic::cli::Streams streams{std::cin, std::cout, std::cerr};
  const laconic::cli::Arguments arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return laconic::cli::run_main(arguments, laconic::cli::all_commands(), streams);
}

#include "laconic/sandbox/guard/serve.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "laconic/sandbox/guard/root.h"
#include "laconic/sandbox/guard/run_job.h"
#include "laconic/sandbox/wire.h"

namespace laconic::guard {
namespace {

namespace wire = sandbox::wire;

constexpr int kRequests = 3, kResults = 4;

bool read_exactly(std::string& bytes, size_t size) {
  bytes.resize(size);
  for (size_t have = 0; have < size;) {
    const ssize_t n = ::read(kRequests, bytes.data() + have, size - have);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n > 0) have += static_cast<size_t>(n);
  }
  return true;
}

bool read_message(std::string& message) {
  std::string size;
  return read_exactly(size, sizeof(uint64_t)) && read_exactly(message, wire::Reader(size).take<uint64_t>());
}

void write_message(std::string_view text) {
  std::string bytes;
  wire::put_text(bytes, text);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(kResults, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) std::_Exit(EXIT_FAILURE);
    if (n > 0) done += static_cast<size_t>(n);
  }
}

}  // namespace

void serve(const World& world) {
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);  // nobody looks into this process
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::close_range(kResults + 1, ~0U, 0);
  for (const int fd : {kRequests, kResults}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  write_message(world.folder);
  std::string message;
  while (read_message(message)) {
    sandbox::Job job;
    if (!wire::decode(message, job)) fail_with("a request that is none", EINVAL);
    write_message(wire::encode(run_job(job, world, kRequests)));
  }
}

}  // namespace laconic::guard

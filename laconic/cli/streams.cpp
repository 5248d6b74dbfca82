#include "laconic/cli/streams.h"

#include <cerrno>
#include <cstring>

#include "laconic/core/base/error.h"

namespace laconic::cli {

void write_checked(std::ostream& out, std::string_view text) {
  errno = 0;
  if (out.write(text.data(), static_cast<std::streamsize>(text.size())) && out.flush()) return;
  // The stream keeps no reason; the system call that failed was the last one.
  const int reason = errno;
  if (reason == EPIPE) throw OutputClosed();
  fail(ErrorKind::io, "cannot write the output: {}", reason != 0 ? std::strerror(reason) : "the stream is closed");
}

}  // namespace laconic::cli

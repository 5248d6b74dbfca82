#include "laconic/core/metrics/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "laconic/core/base/error.h"

namespace laconic::metrics {

AppendFile::AppendFile(const std::filesystem::path& path, Mode mode) : path_(path) {
  // Not waiting: a named pipe without a reader is an error.
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
  if (fd_ < 0) fail(ErrorKind::io, "cannot write {}: {}", path.string(), std::strerror(errno));
  // File systems without locks (some network mounts) answer with another error; only a held lock stops us.
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd_);
    fail(ErrorKind::io, "cannot write {}: another process is writing it", path.string());
  }
  struct stat info {};
  if ((mode == Mode::create && ::ftruncate(fd_, 0) != 0) || ::fstat(fd_, &info) != 0) {
    const int error = errno;
    ::close(fd_);
    fail(ErrorKind::io, "cannot write {}: {}", path.string(), std::strerror(error));
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

AppendFile::~AppendFile() {
  ::close(fd_);
}

void AppendFile::check_in_place() const {
  struct stat named {};
  struct stat own {};
  if (::stat(path_.c_str(), &named) == 0 && ::fstat(fd_, &own) == 0 && named.st_dev == own.st_dev &&
      named.st_ino == own.st_ino)
    return;
  fail(ErrorKind::io, "cannot append to {}: it was deleted, moved or replaced while this process was writing it",
       path_.string());
}

void AppendFile::sync() {
  if (::fdatasync(fd_) != 0 && errno != EINVAL)
    fail(ErrorKind::io, "cannot flush {}: {}", path_.string(), std::strerror(errno));
}

void AppendFile::append(std::string_view record) {
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      const bool cut = rest.size() == record.size() || ::ftruncate(fd_, static_cast<off_t>(size_)) == 0;
      fail(ErrorKind::io, "cannot append to {}: {}{}", path_.string(), std::strerror(error),
           cut ? "" : " (and its last record is incomplete)");
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  size_ += record.size();
}

void AppendFile::truncate(uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) {
    fail(ErrorKind::io, "cannot shorten {}: {}", path_.string(), std::strerror(errno));
  }
  size_ = bytes;
}

}  // namespace laconic::metrics

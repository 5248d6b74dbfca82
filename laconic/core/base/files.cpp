#include "laconic/core/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "laconic/core/base/error.h"

namespace laconic {
namespace {

[[noreturn]] void fail_system(const char* what, const std::filesystem::path& path, int error) {
  const ErrorKind kind = error == ENOENT ? ErrorKind::input : ErrorKind::io;
  fail(kind, "cannot {} {}: {}", what, path.string(), std::strerror(error));
}

// Owns a file descriptor.
struct Descriptor {
  int fd;
  explicit Descriptor(int value) : fd(value) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail_system("open", path, errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) fail_system("inspect", path, errno);
  if (S_ISDIR(info.st_mode)) fail(ErrorKind::input, "cannot read {}: it is a folder, expected a file", path.string());
  std::string content;
  content.reserve(static_cast<size_t>(info.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("read", path, errno);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

void write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  auto temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  const auto give_up = [&](const char* what, int error) {
    ::unlink(temporary.c_str());
    fail_system(what, path, error);
  };
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.fd < 0) fail_system("write", path, errno);
    while (!content.empty()) {
      const ssize_t n = ::write(file.fd, content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) give_up("write", errno);
      content.remove_prefix(static_cast<size_t>(n));
    }
    if (::fsync(file.fd) != 0) give_up("flush", errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up("rename into place", errno);
  const auto parent = path.parent_path();
  sync_path(parent.empty() ? std::filesystem::path(".") : parent);
}

void ensure_writable_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorKind::io, "cannot create the folder {}: {}", folder.string(), error.message());
  if (!std::filesystem::is_directory(folder)) fail(ErrorKind::io, "{} exists and is not a folder", folder.string());
  const auto probe = folder / fmt::format(".writable.{}.tmp", ::getpid());
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(ErrorKind::io, "cannot write into the folder {}: {}", folder.string(), std::strerror(errno));
  ::close(fd);
  ::unlink(probe.c_str());
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail_system("open", path, errno);
  if (::fsync(file.fd) != 0 && errno != EINVAL) fail_system("flush", path, errno);
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail_system("open", path, errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) fail_system("inspect", path, errno);
  if (!S_ISREG(info.st_mode)) fail(ErrorKind::input, "cannot map {}: it is not a regular file", path.string());
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) fail_system("map", path, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace laconic

#include "laconic/core/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "laconic/core/base/descriptor.h"
#include "laconic/core/base/error.h"

namespace laconic {
namespace {

[[noreturn]] void fail_system(const char* what, const std::filesystem::path& path, int error) {
  const ErrorKind kind = error == ENOENT ? ErrorKind::input : ErrorKind::io;
  fail(kind, "cannot {} {}: {}", what, path.string(), std::strerror(error));
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  const auto parent = file.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

std::string link_to(int descriptor) {
  return fmt::format("/proc/self/fd/{}", descriptor);
}

// -1 where the system cannot do that, or could not give the file a name later.
int open_without_name(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  if (descriptor < 0 || ::access(link_to(descriptor).c_str(), F_OK) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

bool give_name(int descriptor, const std::filesystem::path& name) {
  return ::linkat(AT_FDCWD, link_to(descriptor).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail_system("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_system("inspect", path, errno);
  if (S_ISDIR(info.st_mode)) fail(ErrorKind::input, "cannot read {}: it is a folder, expected a file", path.string());
  std::string content;
  content.reserve(static_cast<size_t>(info.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("read", path, errno);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += fmt::format(".{}.tmp", ::getpid());
  descriptor_ = open_without_name(folder_of(path_));
  if (descriptor_ >= 0) return;
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_system("write", path_, errno);
  named_ = true;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (named_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(descriptor_, next, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("write", path_, errno);
    next += n;
    bytes -= static_cast<size_t>(n);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_system("flush", path_, errno);
  if (!named_) {  // a link never replaces a file, a renaming does: so it takes two steps
    ::unlink(temporary_.c_str());
    if (!give_name(descriptor_, temporary_)) fail_system("write", path_, errno);
    named_ = true;
  }
  ::close(std::exchange(descriptor_, -1));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_system("rename into place", path_, errno);
  named_ = false;
  sync_path(folder_of(path_));
}

void write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
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
  if (file.get() < 0) fail_system("open", path, errno);
  if (::fsync(file.get()) != 0 && errno != EINVAL) fail_system("flush", path, errno);
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail_system("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_system("inspect", path, errno);
  if (!S_ISREG(info.st_mode)) fail(ErrorKind::input, "cannot map {}: it is not a regular file", path.string());
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail_system("map", path, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace laconic

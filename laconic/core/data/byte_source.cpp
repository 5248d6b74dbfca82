#include "laconic/core/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::data {
namespace {

class FileBytes final : public ByteSource {
 public:
  explicit FileBytes(const std::filesystem::path& path) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail_system("open");
    struct stat info {};
    if (::fstat(descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
      ::close(descriptor_);
      fail(ErrorKind::input, "cannot read {}: it is a folder, expected a file", path.string());
    }
    // Of a pipe the first bytes come when they come.
    char magic[4];
    while (first_.size() < sizeof magic) {
      const size_t n = read_file(magic, sizeof magic - first_.size());
      if (n == 0) break;
      first_.append(magic, n);
    }
  }
  ~FileBytes() override { ::close(descriptor_); }

  // The first four bytes, or all of a shorter file.
  const std::string& first() const { return first_; }

  size_t read(char* buffer, size_t capacity) override {
    if (told_ == first_.size()) return read_file(buffer, capacity);
    const size_t n = std::min(capacity, first_.size() - told_);
    std::memcpy(buffer, first_.data() + told_, n);
    told_ += n;
    return n;
  }

 private:
  size_t read_file(char* buffer, size_t capacity) {
    for (;;) {
      const ssize_t n = ::read(descriptor_, buffer, capacity);
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) fail_system("read");
    }
  }

  [[noreturn]] void fail_system(const char* what) const {
    const int error = errno;
    fail(error == ENOENT ? ErrorKind::input : ErrorKind::io, "cannot {} {}: {}", what, path_.string(),
         std::strerror(error));
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string first_;
  size_t told_ = 0;
};

bool is_gzip(std::string_view first) {
  return first.starts_with("\x1f\x8b");
}

// A frame, or one that a reader skips (0x184D2A50 to 0x184D2A5F).
bool is_zstd(std::string_view first) {
  if (first.starts_with("\x28\xB5\x2F\xFD")) return true;
  return first.size() >= 4 && (static_cast<unsigned char>(first[0]) & 0xF0) == 0x50 &&
         first.substr(1, 3) == "\x2A\x4D\x18";
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path) {
  auto file = std::make_unique<FileBytes>(path);
  const std::string first = file->first(), extension = to_lower(path.extension().string());
  if (is_gzip(first)) return gunzip(std::move(file), path.string());
  if (is_zstd(first)) return unzstd(std::move(file), path.string());
  for (const auto& [promise, name] : {std::pair{".gz", "gzip"}, {".zst", "zstd"}}) {
    if (extension == promise && !first.empty())
      fail(ErrorKind::input, "{}: not a {} file in spite of its name", path.string(), name);
  }
  return file;
}

std::filesystem::path without_compression(std::filesystem::path path) {
  const std::string extension = to_lower(path.extension().string());
  if (extension == ".gz" || extension == ".zst") path.replace_extension();
  return path;
}

}  // namespace laconic::data

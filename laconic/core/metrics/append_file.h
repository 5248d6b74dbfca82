// A file that grows by whole records: a record that does not fit on the disk leaves nothing of itself behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace laconic::metrics {

class AppendFile {
 public:
  enum class Mode { create, append };  // create: truncates what is there; append: keeps it

  // Opens (and makes) the file and locks it against a second writer. Error(io) names the path and the reason, also when
  // another process holds the lock.
  AppendFile(const std::filesystem::path& path, Mode mode);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // Hands the record to the operating system before it returns. On failure (disk full) the file is cut back to the
  // last whole record and an Error(io) names the path.
  void append(std::string_view record);

  // Error(io) where the path no longer leads to the file, because somebody has deleted, moved or replaced it: what is
  // appended then is lost, and nobody would know.
  void check_in_place() const;

  // Flushes what was appended to the disk.
  void sync();

  // Cuts the file to its first `bytes` bytes.
  void truncate(uint64_t bytes);

  uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace laconic::metrics

// Files: whole reads, atomic writes, read-only memory maps. Every failure is an Error of kind io (or input, where the
// path simply does not exist) that names the path and the system's reason.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace laconic {

std::string read_file(const std::filesystem::path& path);

// Writes to a temporary neighbour, flushes it to the disk and renames it: a reader sees the old file or the new one.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

// A file that appears under its name only once it is complete: written aside, flushed, renamed by commit(). Without a
// commit() nothing is left behind, and where the file system has files without a name, nothing either when the process
// is killed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // its name before the last one
  bool named_ = false;               // whether it has that name yet
  int descriptor_ = -1;
};

// Makes the folder (and its parents) and proves that a file can be written there.
void ensure_writable_folder(const std::filesystem::path& folder);

// Flushes a file's or folder's content and entries to the disk (fsync).
void sync_path(const std::filesystem::path& path);

// A read-only private map of a whole file; empty files map to size 0.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace laconic

// The bytes of a file in pieces, decompressed on the way: plain, gzip or zstd. Memory does not grow with the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace laconic::data {

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Writes at most `capacity` > 0 bytes and says how many; 0 is the end.
  virtual size_t read(char* buffer, size_t capacity) = 0;
};

// What a file is, is told by its first bytes. gzip members and zstd frames one after the other count as one text. A
// truncated or damaged stream is an Error of kind input, and so is a name that promises a compression (.gz, .zst) which
// the content lacks, unless the file is empty.
std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path);

// `packed`, which begins with the format's magic, unpacked. `name` stands for the file in messages.
std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed, const std::string& name);
std::unique_ptr<ByteSource> unzstd(std::unique_ptr<ByteSource> packed, const std::string& name);

// "a.jsonl" of a.jsonl, a.jsonl.gz and a.jsonl.zst.
std::filesystem::path without_compression(std::filesystem::path path);

}  // namespace laconic::data

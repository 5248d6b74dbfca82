// The safetensors file format: a JSON header and raw little-endian tensors. Read through a memory map, checked before
// any tensor is touched.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/base/files.h"

namespace laconic::model {

class SafetensorsFile {
 public:
  // Reads and checks the header: truncation, equal names, overlaps, bytes that belong to no tensor, sizes that do not
  // fit the shape and unknown dtypes are errors (input, unsupported) that name file and tensor.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const { return entries_.contains(name); }
  // A view of the mapped file, which it keeps alive: read only, never write in place.
  at::Tensor tensor(const std::string& name) const;
  std::vector<int64_t> shape(const std::string& name) const { return entries_.at(name).shape; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  struct Entry {
    at::ScalarType dtype;
    std::vector<int64_t> shape;
    size_t begin, end;  // bytes in the file
  };
  void read_header();
  Entry read_entry(const std::string& tensor, const std::string& dtype, const std::vector<uint64_t>& shape,
                   const std::vector<uint64_t>& offsets, size_t data_begin) const;
  void check_layout(size_t data_begin) const;

  std::filesystem::path path_;
  std::shared_ptr<MappedFile> file_;  // shared: tensors outlive this object
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

// Writes the tensors (any device, f64 / f32 / bf16 / f16 / i64 / i32 / i8 / u8 / bool) under their names, in the given
// order, to a temporary file that is flushed and renamed.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace laconic::model

// The tensors of a checkpoint in its safetensors files: one file with whole tensors, or one of each rank with the parts
// that it had.
//
// A part is an entry "<tensor>@<begin>" [n]: n values of the tensor, in the order of memory, from `begin` on. The
// metadata of each file holds the shapes of the whole tensors that it has parts of: "sizes" -> {"<tensor>": [..], ..}.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/model/safetensors.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic::checkpoint {

class TensorFiles final : public optim::TensorSource {
 public:
  TensorFiles() = default;
  // Maps the files, which stay readable if they are deleted. Whole tensors, or parts that make up whole ones: a gap, an
  // overlap or another shape or dtype of the same tensor is an Error of kind input.
  static TensorFiles of_whole(const std::filesystem::path& file);
  static TensorFiles of_parts(const std::vector<std::filesystem::path>& files);

  std::vector<std::string> names() const override;  // sorted
  std::vector<int64_t> sizes(const std::string& name) const override { return at(name).sizes; }
  at::ScalarType dtype(const std::string& name) const override { return at(name).dtype; }
  void read(const std::string& name, int64_t begin, const at::Tensor& target) const override;

 private:
  struct Range {
    int64_t begin, size;
    at::Tensor values;  // [size], mapped
  };
  struct Entry {
    std::vector<int64_t> sizes;
    at::ScalarType dtype = {};
    std::vector<Range> ranges;  // in order, without gaps
  };
  const Entry& at(const std::string& name) const;
  void add_parts(const std::filesystem::path& path);
  void check_complete();

  std::map<std::string, Entry> entries_;
};

// One file of parts, or of whole tensors.
void write_parts(const std::filesystem::path& path, const optim::TensorParts& parts);
void write_whole(const std::filesystem::path& path, const optim::TensorParts& tensors);

}  // namespace laconic::checkpoint

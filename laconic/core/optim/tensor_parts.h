// Tensors of which not everything need be in one place: what a rank of several has of them, and where they are read
// from, range by range, so that nobody needs memory for more than its own part.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace laconic::optim {

// A tensor, or a range of its values in the order of memory.
struct TensorPart {
  TensorPart(std::string tensor, at::Tensor whole);
  TensorPart(std::string tensor, at::Tensor range, std::vector<int64_t> whole_sizes, int64_t first);

  std::string name;            // of the tensor
  at::Tensor values;           // the whole tensor, or [n]
  std::vector<int64_t> sizes;  // of the whole tensor
  int64_t begin = 0;           // the first value's place in the whole tensor
};
using TensorParts = std::vector<TensorPart>;

// Named tensors that can be read piece by piece. Names that are asked about are those of names().
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual std::vector<int64_t> sizes(const std::string& name) const = 0;
  virtual at::ScalarType dtype(const std::string& name) const = 0;
  // Fills `target`, which is contiguous and of the tensor's dtype, with the values from `begin` on.
  virtual void read(const std::string& name, int64_t begin, const at::Tensor& target) const = 0;

  at::Tensor whole(const std::string& name) const;  // a copy
};

// What a source must hold, no more and no less.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> sizes;
  at::ScalarType dtype;
};
// An Error of kind input that names the tensor: one is missing, has another shape or dtype, or is not expected. `what`
// are the tensors called in it: "weights".
void check_holds(const TensorSource& source, const std::vector<ExpectedTensor>& expected, const std::string& what);

}  // namespace laconic::optim

#include "laconic/core/optim/tensor_parts.h"

#include <ATen/ATen.h>

#include <set>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::optim {

TensorPart::TensorPart(std::string tensor, at::Tensor whole)
    : name(std::move(tensor)), values(std::move(whole)), sizes(values.sizes().vec()) {}

TensorPart::TensorPart(std::string tensor, at::Tensor range, std::vector<int64_t> whole_sizes, int64_t first)
    : name(std::move(tensor)), values(std::move(range)), sizes(std::move(whole_sizes)), begin(first) {}

at::Tensor TensorSource::whole(const std::string& name) const {
  auto tensor = at::empty(sizes(name), dtype(name));
  read(name, 0, tensor.view({-1}));
  return tensor;
}

void check_holds(const TensorSource& source, const std::vector<ExpectedTensor>& expected, const std::string& what) {
  const auto names = source.names();
  std::set<std::string> given(names.begin(), names.end());
  for (const auto& tensor : expected) {
    if (given.erase(tensor.name) == 0) fail(ErrorKind::input, "the {} lack {}", what, tensor.name);
    const auto sizes = source.sizes(tensor.name);
    if (sizes != tensor.sizes) {
      fail(ErrorKind::input, "{} of the {} has the shape [{}], expected [{}]", tensor.name, what,
           fmt::join(sizes, ", "), fmt::join(tensor.sizes, ", "));
    }
    if (source.dtype(tensor.name) != tensor.dtype) {
      fail(ErrorKind::input, "{} of the {} is {}, expected {}", tensor.name, what,
           c10::toString(source.dtype(tensor.name)), c10::toString(tensor.dtype));
    }
  }
  if (!given.empty()) fail(ErrorKind::input, "the {} hold {}, which the model does not have", what, *given.begin());
}

}  // namespace laconic::optim

// Some tensors laid end to end into one buffer that is divided evenly between the ranks: what collectives move, and
// what sharding divides. A unit is about one layer, so that a buffer is large enough for the network and small for
// memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace laconic::distributed {

class FlatUnit {
 public:
  // Sizes of the tensors in values; the buffer is padded to a multiple of `ranks`.
  FlatUnit(std::vector<int64_t> sizes, int ranks);

  int64_t padded() const { return shard_ * ranks_; }  // values of the whole buffer
  int64_t shard() const { return shard_; }            // values of one rank's part

  // The part of a tensor that lies in a rank's shard.
  struct Piece {
    size_t tensor = 0;   // index into the sizes
    int64_t begin = 0;   // first value within the tensor
    int64_t offset = 0;  // of that value within the shard
    int64_t size = 0;
  };
  std::vector<Piece> pieces(int rank) const;

  // [padded] of `type`: the tensors end to end, then zeros. An undefined tensor counts as zeros.
  at::Tensor pack(const std::vector<at::Tensor>& tensors, at::ScalarType type) const;
  // Copies a buffer back into the tensors, which it fits.
  void unpack(const at::Tensor& buffer, const std::vector<at::Tensor>& tensors) const;

 private:
  std::vector<int64_t> sizes_;
  int64_t ranks_;
  int64_t shard_;
};

// Tensors that travel together.
struct TensorUnit {
  std::vector<size_t> tensors;  // indices, in order
  FlatUnit flat;
};

// Which tensors belong together, by their names: those of one decoder layer ("model.layers.<n>."), and of the others
// each run of neighbours between layers. Indices in order.
std::vector<std::vector<size_t>> layer_units(const std::vector<std::string>& names);

// A model's weights in such units: of those that core/model lists, unit i is that of core/model/weight_use.h. The
// tensors are contiguous.
std::vector<TensorUnit> make_units(const std::vector<std::pair<std::string, at::Tensor>>& weights, int ranks);

}  // namespace laconic::distributed

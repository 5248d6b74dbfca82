#include "laconic/core/policy/packing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/upload.h"

namespace laconic::policy {

PackedBatch pack(std::span<const ScoredSequence* const> sequences, at::Device device) {
  std::vector<int64_t> ids, positions, rows, targets;
  PackedBatch batch;
  batch.offsets.push_back(0);
  batch.scored_offsets.push_back(0);
  for (const auto* sequence : sequences) {
    const auto length = static_cast<int64_t>(sequence->ids.size());
    LACONIC_CHECK(sequence->completion_start >= 1 && sequence->completion_start <= length,
                  "a sequence of {} tokens cannot be scored from token {} on", length, sequence->completion_start);
    const int64_t used = sequence->scored() > 0 ? length - 1 : 0;
    const auto base = static_cast<int64_t>(ids.size());
    for (int64_t i = 0; i < used; ++i) {
      ids.push_back(sequence->ids[static_cast<size_t>(i)]);
      positions.push_back(i);
    }
    for (int64_t i = sequence->completion_start; i < length; ++i) {
      rows.push_back(base + i - 1);
      targets.push_back(sequence->ids[static_cast<size_t>(i)]);
    }
    batch.offsets.push_back(base + used);
    batch.scored_offsets.push_back(static_cast<int64_t>(targets.size()));
  }
  ops::Upload upload;  // takes them in this order
  for (const auto* values : {&ids, &positions, &rows, &targets}) upload.add(*values);
  upload.send(device);
  size_t place = 0;
  for (at::Tensor* tensor : {&batch.ids, &batch.positions, &batch.rows, &batch.targets}) {
    const auto count = static_cast<int64_t>(place < 2 ? ids.size() : targets.size());
    *tensor = upload.get(place++, {count}, at::kLong);
  }
  return batch;
}

std::vector<std::vector<int64_t>> split_by_tokens(std::span<const int64_t> lengths, int64_t token_budget) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  });
  std::vector<std::vector<int64_t>> batches;
  int64_t used = 0;
  for (int64_t index : order) {
    const int64_t length = lengths[static_cast<size_t>(index)];
    if (batches.empty() || used + length > token_budget) {
      batches.emplace_back();
      used = 0;
    }
    batches.back().push_back(index);
    used += length;
  }
  return batches;
}

}  // namespace laconic::policy

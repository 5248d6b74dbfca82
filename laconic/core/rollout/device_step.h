// A step of the engine where the model does not lie on the CPU: the forward pass and the draws, with two copies to the
// device (tokens and pages; who draws) and one back (the drawn tokens of all rows), which is all that is waited for.
//
// Where the device records steps (ops::StepGraphs), steps that decode only are padded to one of a few sizes and
// replayed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "laconic/core/model/model.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/upload.h"
#include "laconic/core/rollout/draw_job.h"
#include "laconic/core/rollout/kv_cache.h"
#include "laconic/core/rollout/scheduler.h"

namespace laconic::rollout {

class DeviceStep {
 public:
  // All of these outlive it. `graphs` may be null; for steps of at most `max_rows` rows.
  DeviceStep(const model::Model& model, const ops::DeviceOps& ops, KvCache& cache,
             std::unique_ptr<ops::StepGraphs> graphs, int64_t max_rows);

  // The forward pass over the plan's rows.
  void forward(const StepPlan& plan);
  // A copy of the hidden state [hidden] of a row of the last forward pass.
  at::Tensor hidden(int64_t row) const;
  // Fills the tokens. Waits for the device once.
  void draw(std::vector<DrawJob>& jobs);

 private:
  // The step's rows, on the host.
  struct Rows {
    std::vector<int64_t> ids, positions;
    std::vector<int32_t> sequence;  // [rows]: line of the table
    std::vector<int32_t> table;     // [sequences, pages]
    int64_t sequences = 0, pages = 0;
  };
  struct Recorded {
    at::Tensor memory;  // of what is brought to the device
    model::InferenceBuffers buffers;
    at::Tensor normed;
  };
  Rows rows_of(const StepPlan& plan, int64_t padded_rows, int64_t padded_pages) const;
  bool replays(const StepPlan& plan) const;
  void replay(const StepPlan& plan);
  void pass(const Rows& rows, const ops::Upload& sent, model::InferenceBuffers& buffers) const;
  at::Tensor states_of(const std::vector<DrawJob>& jobs, const at::Tensor& places) const;
  at::Tensor logits_of(const at::Tensor& states, at::Tensor& normed, int64_t begin, int64_t rows);

  const model::Model& model_;
  const ops::DeviceOps& ops_;
  KvCache& cache_;
  std::unique_ptr<ops::StepGraphs> graphs_;
  int64_t max_rows_;
  model::InferenceBuffers buffers_;
  const at::Tensor* hidden_ = nullptr;  // [rows, hidden] of the last pass
  at::Tensor logits_;                   // [max_rows, vocab] f32
  bool logits_ready_ = false;           // row i of logits_ belongs to row i of the last pass
  std::map<int64_t, Recorded> recorded_;
};

}  // namespace laconic::rollout

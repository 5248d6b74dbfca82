// Samples for supervised fine-tuning: prompt and completion as ids, where only the completion carries loss.
#pragma once

#include <cstdint>
#include <memory>

#include "laconic/core/policy/packing.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {

class SftSource {
 public:
  virtual ~SftSource() = default;
  // Sample `index` of optimizer step `step`: a function of (seed, step, index) alone.
  virtual policy::ScoredSequence sample(int64_t step, int64_t index) const = 0;
  virtual int64_t steps() const = 0;                   // of the run
  virtual int64_t batch_size(int64_t step) const = 0;  // samples of that step
  virtual int64_t evaluation_size() const = 0;         // held-out samples
  virtual policy::ScoredSequence evaluation_sample(int64_t index) const = 0;
};

// Reads and checks the data: an empty set, a sample without response, a sample longer than the limit and a chat record
// whose template does not put the response behind the prompt are errors that name the line.
std::unique_ptr<SftSource> make_sft_source(const SftConfig& config, const TextWorkspace& workspace);

}  // namespace laconic::trainers

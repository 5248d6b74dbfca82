// The completions of a step that people look at.
#pragma once

#include <cstdint>

#include "laconic/algorithms/step.h"
#include "laconic/core/metrics/run_folder.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// The first completion of the first groups (output.samples_per_step) into samples.jsonl; that of the first group on the
// console as well every output.show_samples_every steps. `step_number` counts from 1.
void write_samples(const algorithms::Step& step, int64_t step_number, const OutputSection& output,
                   const text::Tokenizer& tokenizer, metrics::RunFolder& folder);

}  // namespace laconic::trainers

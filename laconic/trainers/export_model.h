// A checkpoint as a Hugging Face folder: its weights, with the configuration and tokenizer that the run began from.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>

#include "laconic/core/checkpoint/store.h"

namespace laconic::trainers {

struct ExportOptions {
  // A checkpoint, a folder of checkpoints, or a run folder; of several the newest complete one.
  std::filesystem::path from;
  std::filesystem::path to;             // is made; what is there must be an empty folder
  std::string model;                    // folder with config.json; "" = model.path of the run's configuration
  std::string tokenizer;                // folder, tokenizer.json or `chain`; "" = as the run has it
  std::optional<at::ScalarType> dtype;  // f32 or bf16; nothing: that of the checkpoint's weights
};

struct ExportedModel {
  std::filesystem::path checkpoint;
  checkpoint::Position position;
  int64_t parameters = 0;
  at::ScalarType dtype = at::kFloat;
};

// Checks everything before it writes, and leaves nothing behind when it fails. Damaged checkpoints of a run are named
// in a warning and passed over; a damaged one that was asked for by name is an Error of kind input.
ExportedModel export_checkpoint(const ExportOptions& options);

}  // namespace laconic::trainers

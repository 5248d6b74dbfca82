#include "laconic/trainers/export_model.h"

#include <ATen/ATen.h>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/log.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/yaml_source.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using checkpoint::Store;

Store::Loaded load_one(const fs::path& folder) {
  try {
    return Store::load(folder);
  } catch (const Error& error) {
    fail(error.kind(), "the checkpoint {} cannot be used: {}", folder.string(), error.what());
  }
}

Store::Loaded load_newest(const fs::path& folder) {
  std::string reasons;
  const auto note = [&](const Store::PassedOver& one) {
    reasons += fmt::format("\n  {}: {}", one.folder.filename().string(), one.reason);
    log_warning("passed over the checkpoint {}: {}", one.folder.string(), one.reason);
  };
  auto loaded = Store(folder, {}).load_newest(note);
  if (!loaded) fail(ErrorKind::input, "{}: there is no complete checkpoint{}", folder.string(), reasons);
  return std::move(*loaded);
}

Store::Loaded find_checkpoint(const fs::path& from) {
  if (!fs::is_directory(from))
    fail(ErrorKind::usage, "{}: expected a run folder or a checkpoint, found {}", from.string(),
         fs::exists(from) ? "a file" : "nothing");
  if (fs::is_directory(from / "checkpoints")) return load_newest(from / "checkpoints");
  if (Store::is_checkpoint(from)) return load_one(from);
  if (!Store(from, {}).empty()) return load_newest(from);
  fail(ErrorKind::usage, "{}: expected a run folder or a checkpoint, but it holds neither checkpoints nor {}",
       from.string(), "manifest.json");
}

// Of the configuration that the checkpoint's run has recorded; "" where there is none.
std::string recorded(const fs::path& checkpoint, const char* key) {
  const auto run = fs::canonical(checkpoint).parent_path().parent_path();
  if (!fs::exists(run / "config.yaml")) return "";
  config::Problems problems;
  const auto tree = config::parse_yaml(read_file(run / "config.yaml"), (run / "config.yaml").string(), problems);
  problems.raise();
  const auto* section = tree.find("model");
  const auto* value = section == nullptr ? nullptr : section->find(key);
  return value == nullptr ? "" : value->text;
}

ModelSection model_section(const ExportOptions& options, const fs::path& checkpoint) {
  ModelSection section;
  section.path = options.model.empty() ? recorded(checkpoint, "path") : options.model;
  // A model that was named carries its own tokenizer.
  section.tokenizer =
      options.tokenizer.empty() && options.model.empty() ? recorded(checkpoint, "tokenizer") : options.tokenizer;
  if (section.path.empty()) {
    fail(ErrorKind::usage,
         "{} is not in the folder of a run, whose config.yaml would say which model it is: name the folder with its "
         "config.json and tokenizer by --model",
         checkpoint.string());
  }
  if (!fs::exists(section.path)) {
    fail(ErrorKind::usage, "the model's folder {} does not exist{}", section.path,
         options.model.empty() ? " (model.path of the run's config.yaml, seen from here): name it by --model" : "");
  }
  return section;
}

void check_empty(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) fail(ErrorKind::usage, "{}: expected a folder, found a file", folder.string());
  if (!fs::is_empty(folder)) {
    fail(ErrorKind::usage, "{} is not empty (it holds `{}`): give another folder", folder.string(),
         fs::directory_iterator(folder)->path().filename().string());
  }
}

model::Model model_of(const model::ModelConfig& config, const Store::Loaded& loaded, const std::string& path) {
  const auto names = loaded.weights.names();
  if (names.empty()) fail(ErrorKind::input, "the checkpoint {} holds no weights", loaded.folder.string());
  model::Model model(config, loaded.weights.dtype(names.front()), at::kCPU);
  try {
    restore_weights(model, loaded.weights);
  } catch (const Error& error) {
    fail(error.kind(), "{} does not fit the model of {}: {}", loaded.folder.string(), path, error.what());
  }
  return model;
}

void write_folder(const Workspace& workspace, const fs::path& folder, at::ScalarType dtype) {
  const bool existed = fs::exists(folder);
  try {
    workspace.model.save_folder(folder, dtype);
    copy_tokenizer_files(workspace, folder);
  } catch (...) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) fs::remove_all(entry.path(), ignored);
    if (!existed) fs::remove(folder, ignored);
    throw;
  }
}

}  // namespace

ExportedModel export_checkpoint(const ExportOptions& options) {
  check_empty(options.to);
  const auto loaded = find_checkpoint(options.from);
  const auto section = model_section(options, loaded.folder);
  auto text = load_text(section);
  auto model = model_of(text.config, loaded, section.path);
  const Workspace workspace(std::move(text), std::move(model));
  ExportedModel exported{loaded.folder, loaded.position, workspace.config.total_parameters(),
                         options.dtype.value_or(workspace.model.dtype())};
  write_folder(workspace, options.to, exported.dtype);
  return exported;
}

}  // namespace laconic::trainers

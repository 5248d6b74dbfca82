#include "laconic/cli/model_folder.h"

#include <filesystem>

#include "laconic/cli/problem.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/cuda/loader.h"

namespace laconic::cli {

void declare_model_options(CommandLine& line) {
  line.section("Model");
  line.option("model", "DIR", "a Hugging Face folder: config.json, weights; tokenizer.json for fields that are text");
  line.option("dtype", "f32|bf16", "of the weights in memory; default f32. The CPU's arithmetic is f32 either way");
  line.option("device", "cpu|cuda", "where the model computes: the processor (default) or an NVIDIA GPU");
  line.option("threads", "N", "threads of tensor operations; default 0 = all cores. Changes no number");
}

namespace {

at::Device device_of(const CommandLine& line) {
  if (line.choice("device", {"cpu", "cuda"}, "cpu") == "cpu") return at::kCPU;
  try {
    return cuda::device();
  } catch (const Error& error) {
    fail(error.kind(), "--device cuda: {}", error.what());
  }
}

}  // namespace

ModelFolder ModelFolder::load(const CommandLine& line) {
  const std::string path = line.text("model");
  const auto dtype = line.choice("dtype", {"f32", "bf16"}, "f32") == "bf16" ? at::kBFloat16 : at::kFloat;
  ops::set_threads(static_cast<int>(line.whole("threads", 0, 4096, 0)));
  const auto device = device_of(line);
  return from_argument("--model", path, [&] {
    if (std::filesystem::is_regular_file(path)) fail(ErrorKind::input, "expected the folder of a model, found a file");
    ModelFolder folder(path, model::Model::from_folder(path, dtype, device));
    if (!std::filesystem::exists(std::filesystem::path(path) / "tokenizer.json")) return folder;
    folder.tokenizer_ = text::Tokenizer::from_path(path);
    // A template that cannot be read matters to the lines with messages alone.
    if (const auto& source = folder.tokenizer_->chat_template()) {
      try {
        folder.chat_ = text::ChatTemplate::parse(*source, "chat_template");
      } catch (const Error& error) {
        folder.chat_problem_ = error.what();
      }
    } else {
      folder.chat_problem_ = fmt::format("the tokenizer of {} has no chat template", path);
    }
    return folder;
  });
}

const text::Tokenizer& ModelFolder::tokenizer(std::string_view needed_by) const {
  if (!tokenizer_) fail(ErrorKind::input, "{} needs a tokenizer, and {} has no tokenizer.json", needed_by, path_);
  return *tokenizer_;
}

std::vector<int32_t> ModelFolder::chat_ids(const Json& messages) const {
  if (!messages.is_array()) wrong_value("messages", "a list of messages", messages);
  const auto& encoder = tokenizer("the field `messages`");
  if (!chat_) fail(ErrorKind::input, "messages: {}", chat_problem_);
  Json variables = Json::object();
  for (const auto& [name, token] : encoder.special_tokens()) variables[name] = token;
  // The template writes the special tokens itself.
  return encoder.encode(chat_->render(messages, /*add_generation_prompt=*/true, variables),
                        /*add_special_tokens=*/false);
}

void ModelFolder::check_ids(const std::vector<int32_t>& ids, std::string_view field) const {
  const int64_t vocab = model_.config().vocab_size;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= vocab)
      fail(ErrorKind::input, "{}[{}]: token id {} is outside of the model's vocabulary of {}", field, i, ids[i], vocab);
  }
}

}  // namespace laconic::cli

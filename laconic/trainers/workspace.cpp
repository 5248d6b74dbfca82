#include "laconic/trainers/workspace.h"

#include <algorithm>
#include <array>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/yaml_source.h"
#include "laconic/core/data/procedural/chain_tokenizer.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/cuda/loader.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/memory.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kTokenizerFiles = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
    "merges.txt",     "chat_template.jinja"};
constexpr const char* kChainTokenizer = "chain";

text::Tokenizer load_tokenizer(const ModelSection& section) {
  if (section.tokenizer == kChainTokenizer) {
    return text::Tokenizer::from_json_text(data::chain_tokenizer_json(), "the chain tokenizer",
                                           data::chain_tokenizer_config_json());
  }
  return text::Tokenizer::from_path(section.tokenizer.empty() ? section.path : section.tokenizer);
}

fs::path folder_of_tokenizer(const ModelSection& section) {
  if (section.tokenizer == kChainTokenizer) return {};
  const fs::path path = section.tokenizer.empty() ? section.path : section.tokenizer;
  return fs::is_directory(path) ? path : path.parent_path();
}

// Decodes token by token for stop strings.
class TokenizerStream final : public rollout::TextStream {
 public:
  explicit TokenizerStream(const text::Tokenizer& tokenizer) : decoder_(tokenizer) {}
  std::string push(int32_t id) override { return decoder_.push(id); }

 private:
  text::StreamDecoder decoder_;
};

// Stands where the rewards of the user's own decide later what is right.
class Undecided final : public rewards::Verifier {
 public:
  rewards::Verdict verify(const rewards::Response& response, std::string_view /*gold*/) const override {
    rewards::Verdict verdict;
    verdict.truncated = response.truncated;
    return verdict;
  }
  std::string name() const override { return "external"; }
};

template <typename Body>
auto with_gpu(const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    fail(error.kind(), "model.device: cuda: {}", error.what());
  }
}

at::Device device_of(const ModelSection& section) {
  return section.device == ComputeDevice::cpu ? at::Device(at::kCPU) : with_gpu([] { return cuda::device(); });
}

// Bytes for keys and values, and of one token's. A GPU holds them in the type of the weights.
std::pair<int64_t, int64_t> kv_memory(const model::ModelConfig& config, const ModelSection& section) {
  const bool gpu = section.device == ComputeDevice::cuda;
  const int64_t element = gpu && section.dtype == Precision::bf16 ? 2 : 4;
  const int64_t bytes = gpu ? cuda::free_memory() / 2 : machine_memory_bytes() / 4;
  return {bytes, rollout::KvCache::page_bytes(config, element) / ops::kPageTokens};
}

}  // namespace

int use_gpu(int local_rank) {
  return with_gpu([&] {
    // A scheduler may show each rank nothing but its own.
    const int index = cuda::require_cuda().device_count() == 1 ? 0 : local_rank;
    cuda::use_device(index);
    return index;
  });
}

TextWorkspace load_text(const ModelSection& section) {
  if (section.device == ComputeDevice::cuda) with_gpu([] { cuda::require_cuda(); });
  for (const auto& [key, path] : {std::pair{"path", section.path}, std::pair{"tokenizer", section.tokenizer}}) {
    if (!path.empty() && path != kChainTokenizer && !fs::exists(path))
      fail(ErrorKind::usage, "model.{}: {} does not exist", key, path);
  }
  TextWorkspace w;
  w.config = model::read_model_config(section.path);
  w.tokenizer = std::make_unique<text::Tokenizer>(load_tokenizer(section));
  w.tokenizer_folder = folder_of_tokenizer(section);
  if (w.tokenizer->vocab_size() > w.config.vocab_size) {
    fail(ErrorKind::input,
         "{}: the tokenizer has {} tokens, but the model's vocabulary has {}: they do not belong together",
         section.path, w.tokenizer->vocab_size(), w.config.vocab_size);
  }
  if (const auto& source = w.tokenizer->chat_template()) {
    w.chat = std::make_unique<text::ChatTemplate>(
        text::ChatTemplate::parse(*source, (w.tokenizer_folder / "chat_template").string()));
  }
  w.stop_ids = w.config.eos_ids;
  const auto end = w.tokenizer->eos_id();
  if (end && std::find(w.stop_ids.begin(), w.stop_ids.end(), *end) == w.stop_ids.end()) w.stop_ids.push_back(*end);
  if (w.stop_ids.empty()) {
    fail(ErrorKind::input,
         "{}: neither config.json (eos_token_id) nor the tokenizer names an end token: completions would never end",
         section.path);
  }
  return w;
}

void fix_today(const TextWorkspace& workspace, std::string& today, const fs::path& earlier_run) {
  if (!workspace.chat || !workspace.chat->prints_date()) return;
  const auto recorded = earlier_run / "config.yaml";
  if (today.empty() && !earlier_run.empty() && fs::exists(recorded)) {
    config::Problems problems;
    const auto tree = config::parse_yaml(read_file(recorded), recorded.string(), problems);
    problems.raise();
    if (const auto* value = tree.find("today")) today = value->text;
  }
  if (today.empty()) today = text::today();
  const auto noon = text::noon_of_day(today);
  if (!noon) fail(ErrorKind::input, "{}: today: expected a day such as 2025-07-10, found {}", recorded.string(), today);
  workspace.chat->set_now(*noon);
}

Workspace load_weights(TextWorkspace text, const ModelSection& section, uint64_t seed) {
  const at::ScalarType type = section.dtype == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const auto device = device_of(section);
  auto model = section.init == ModelInit::random ? model::Model::random(text.config, seed, type, device)
                                                 : model::Model::from_folder(section.path, type, device);
  return Workspace(std::move(text), std::move(model));
}

Workspace load_workspace(const ModelSection& section, uint64_t seed) {
  return load_weights(load_text(section), section, seed);
}

void copy_tokenizer_files(const TextWorkspace& workspace, const fs::path& folder) {
  if (workspace.tokenizer_folder.empty()) {
    write_file_atomic(folder / "tokenizer.json", data::chain_tokenizer_json());
    write_file_atomic(folder / "tokenizer_config.json", data::chain_tokenizer_config_json());
    return;
  }
  for (const char* name : kTokenizerFiles) {
    const auto source = workspace.tokenizer_folder / name;
    std::error_code error;
    if (!fs::exists(source) || fs::equivalent(workspace.tokenizer_folder, folder, error)) continue;
    write_file_atomic(folder / name, read_file(source));
  }
}

void save_model_folder(const Workspace& workspace, const fs::path& folder) {
  workspace.model.save_folder(folder, workspace.model.dtype());
  copy_tokenizer_files(workspace, folder);
}

rollout::EngineOptions engine_options(const model::ModelConfig& config, const text::Tokenizer& tokenizer,
                                      const RolloutSection& section, int64_t requests, int64_t prompt_tokens,
                                      int64_t new_tokens, const ModelSection& model) {
  rollout::EngineOptions options;
  options.max_rows = section.max_rows;
  options.prefill_tokens = section.prefill_tokens;
  const int64_t each = prompt_tokens + new_tokens + ops::kPageTokens;
  options.kv_tokens = section.kv_tokens;
  if (const int64_t least = prompt_tokens + new_tokens; options.kv_tokens > 0 && options.kv_tokens < least) {
    fail(ErrorKind::usage, "rollout.kv_tokens: expected at least {} ({} prompt tokens and {} new ones), found {}",
         least, prompt_tokens, new_tokens, options.kv_tokens);
  }
  if (options.kv_tokens == 0) {
    const auto [bytes, token_bytes] = kv_memory(config, model);
    options.kv_tokens = kv_tokens_wanted(requests, section.max_rows, each, bytes, token_bytes);
  }
  options.make_text_stream = [&tokenizer] { return std::make_unique<TokenizerStream>(tokenizer); };
  return options;
}

std::optional<int32_t> thinking_end_id(const text::Tokenizer& tokenizer) {
  return tokenizer.token_id("</think>");
}

JudgeOwner make_judge(const RewardSection& section, const TextWorkspace& workspace) {
  JudgeOwner owner;
  owner.verifier = section.external_decides() ? std::make_unique<Undecided>()
                                              : rewards::make_verifier(section.verifier, section.options);
  if (section.external.any()) owner.external = std::make_unique<rewards::ExternalRewards>(section.external);
  owner.pool = std::make_unique<ThreadPool>(section.threads);
  owner.judge = {owner.verifier.get(),
                 workspace.tokenizer.get(),
                 owner.pool.get(),
                 thinking_end_id(*workspace.tokenizer),
                 section.terms,
                 section.term_options,
                 {owner.external.get(), section.conversation, section.gold_column}};
  if (section.external_decides()) owner.judge.external.correct_from = section.correct_from;
  return owner;
}

}  // namespace laconic::trainers

#include "laconic/trainers/workspace.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/procedural/chain_tokenizer.h"
#include "laconic/core/ops/paged_attention.h"

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

at::ScalarType weight_type(Precision precision) {
  return precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
}

model::Model load_model(const ModelSection& section, uint64_t seed) {
  if (section.init == ModelInit::random) {
    return model::Model::random(model::read_model_config(section.path), seed, weight_type(section.dtype), at::kCPU);
  }
  return model::Model::from_folder(section.path, weight_type(section.dtype), at::kCPU);
}

int64_t memory_bytes() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(::sysconf(_SC_PAGE_SIZE));
}

// Decodes token by token for stop strings.
class TokenizerStream final : public rollout::TextStream {
 public:
  explicit TokenizerStream(const text::Tokenizer& tokenizer) : decoder_(tokenizer) {}
  std::string push(int32_t id) override { return decoder_.push(id); }

 private:
  text::StreamDecoder decoder_;
};

}  // namespace

Workspace load_workspace(const ModelSection& section, uint64_t seed) {
  // The tokenizer first: it is read in a moment, weights may take a minute.
  auto tokenizer = std::make_unique<text::Tokenizer>(load_tokenizer(section));
  Workspace workspace{load_model(section, seed), std::move(tokenizer), nullptr, folder_of_tokenizer(section), {}};
  const auto& config = workspace.model.config();
  if (workspace.tokenizer->vocab_size() > config.vocab_size) {
    fail(ErrorKind::input,
         "the tokenizer has {} tokens, but the model's vocabulary has {}: they do not belong together",
         workspace.tokenizer->vocab_size(), config.vocab_size);
  }
  if (const auto& source = workspace.tokenizer->chat_template()) {
    workspace.chat = std::make_unique<text::ChatTemplate>(
        text::ChatTemplate::parse(*source, (workspace.tokenizer_folder / "chat_template").string()));
  }
  workspace.stop_ids = config.eos_ids;
  const auto end = workspace.tokenizer->eos_id();
  if (end && std::find(workspace.stop_ids.begin(), workspace.stop_ids.end(), *end) == workspace.stop_ids.end())
    workspace.stop_ids.push_back(*end);
  if (workspace.stop_ids.empty()) {
    fail(ErrorKind::input,
         "{}: neither config.json (eos_token_id) nor the tokenizer names an end token: completions would never end",
         section.path);
  }
  return workspace;
}

void copy_tokenizer_files(const Workspace& workspace, const fs::path& folder) {
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

rollout::EngineOptions engine_options(const Workspace& workspace, const RolloutSection& section, int64_t requests,
                                      int64_t prompt_tokens, int64_t new_tokens) {
  rollout::EngineOptions options;
  options.max_rows = section.max_rows;
  options.prefill_tokens = section.prefill_tokens;
  const int64_t each = prompt_tokens + new_tokens + ops::kPageTokens;
  options.kv_tokens = section.kv_tokens;
  if (options.kv_tokens == 0) {
    const int64_t token_bytes = rollout::KvCache::page_bytes(workspace.model.config(), 4) / ops::kPageTokens;
    const int64_t affordable = memory_bytes() / 4 / token_bytes;
    options.kv_tokens = std::max(each, std::min(affordable, std::min<int64_t>(requests, section.max_rows) * each));
  }
  const auto& tokenizer = *workspace.tokenizer;
  options.make_text_stream = [&tokenizer] { return std::make_unique<TokenizerStream>(tokenizer); };
  return options;
}

JudgeOwner make_judge(const RewardSection& section, const Workspace& workspace) {
  JudgeOwner owner;
  owner.verifier = rewards::make_verifier(section.verifier, section.options);
  owner.pool = std::make_unique<ThreadPool>(section.threads);
  owner.judge = {owner.verifier.get(), workspace.tokenizer.get(), owner.pool.get(),
                 workspace.tokenizer->token_id("</think>")};
  return owner;
}

}  // namespace laconic::trainers

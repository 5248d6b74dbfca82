// Reading and writing of Hugging Face model folders, and random initialisation.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/model/model.h"
#include "laconic/core/model/safetensors.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The weight files of a folder, and which of them holds each tensor.
struct Weights {
  std::vector<SafetensorsFile> files;
  std::map<std::string, size_t> holder;
};

std::vector<fs::path> shards_of(const fs::path& index_path, std::map<std::string, std::string>& promised) {
  Json index;
  try {
    index = Json::parse(read_file(index_path));
    for (const auto& [name, file] : index.at("weight_map").items()) promised[name] = file.get<std::string>();
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: damaged: {}", index_path.string(), parser_reason(error.what()));
  }
  std::vector<fs::path> shards;
  for (const auto& entry : promised) {
    if (fs::path(entry.second).filename() != entry.second) {
      fail(ErrorKind::input, "{}: the shard of {}: expected the name of a file beside the index, found `{}`",
           index_path.string(), entry.first, entry.second);
    }
    const auto path = index_path.parent_path() / entry.second;
    if (std::find(shards.begin(), shards.end(), path) == shards.end()) shards.push_back(path);
  }
  return shards;
}

Weights open_weights(const fs::path& folder) {
  const auto single = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
  std::map<std::string, std::string> promised;
  std::vector<fs::path> paths;
  if (fs::exists(single)) {
    paths = {single};
  } else if (fs::exists(index)) {
    paths = shards_of(index, promised);
  } else {
    fail(ErrorKind::input, "{}: there is neither model.safetensors nor model.safetensors.index.json", folder.string());
  }
  Weights weights;
  for (const auto& path : paths) {
    if (!fs::exists(path))
      fail(ErrorKind::input, "{}: the shard {} is missing", folder.string(), path.filename().string());
    weights.files.emplace_back(path);
    for (const auto& name : weights.files.back().names()) {
      if (!weights.holder.emplace(name, weights.files.size() - 1).second) {
        fail(ErrorKind::input, "{}: tensor {} is in two shards", path.string(), name);
      }
    }
  }
  for (const auto& [name, file] : promised) {
    const auto found = weights.holder.find(name);
    if (found == weights.holder.end() || weights.files[found->second].path() != folder / file)
      fail(ErrorKind::input, "{}: tensor {} is not in {}", index.string(), name, file);
  }
  return weights;
}

void check_finite(const at::Tensor& tensor, const std::string& where, const std::string& name) {
  // The sum of a finite tensor may overflow, so only a suspicious one is looked at element by element.
  if (std::isfinite(tensor.sum(at::kDouble).item<double>())) return;
  const auto bad = tensor.isfinite().logical_not().nonzero();
  if (bad.size(0) == 0) return;
  const auto first = bad[0].contiguous();
  const std::vector<int64_t> at(first.const_data_ptr<int64_t>(), first.const_data_ptr<int64_t>() + first.numel());
  fail(ErrorKind::input, "{}: tensor {} holds {} values that are not finite, the first at [{}]", where, name,
       bad.size(0), fmt::join(at, ", "));
}

// Old files of tied models may repeat the embedding as the head. Another head would silently not be used.
void drop_repeated_head(Weights& weights) {
  const auto head = weights.holder.find("lm_head.weight"), embedding = weights.holder.find("model.embed_tokens.weight");
  if (head == weights.holder.end() || embedding == weights.holder.end()) return;
  const auto& file = weights.files[head->second];
  const auto a = file.tensor(head->first), b = weights.files[embedding->second].tensor(embedding->first);
  check_finite(a, file.path().string(), head->first);
  if (a.sizes() != b.sizes() || !at::equal(a.to(at::kFloat), b.to(at::kFloat))) {
    fail(ErrorKind::input,
         "{}: tensor lm_head.weight differs from model.embed_tokens.weight, but config.json says tie_word_embeddings: "
         "true",
         file.path().string());
  }
  weights.holder.erase(head);
}

void fill_normal(at::Tensor& tensor, uint64_t seed, uint64_t index, double deviation) {
  const auto values = at::empty(tensor.sizes(), at::kFloat);
  float* out = values.mutable_data_ptr<float>();
  const int64_t n = values.numel();
  const uint64_t key = mix_key({seed, static_cast<uint64_t>(DrawPurpose::init_weights), index});
  // Four words of one block give two pairs of normals (Box-Muller).
  ops::parallel_pieces(n, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 4) {
      const auto block = static_cast<uint64_t>(i / 4);
      const auto words = philox(key, {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0});
      for (int64_t pair = 0; pair < 2; ++pair) {
        const double u = (static_cast<double>(words[static_cast<size_t>(2 * pair)]) + 0.5) * 0x1.0p-32;
        const double angle =
            2.0 * std::numbers::pi * static_cast<double>(words[static_cast<size_t>(2 * pair + 1)]) * 0x1.0p-32;
        const double radius = deviation * std::sqrt(-2.0 * std::log(u));
        if (i + 2 * pair < end) out[i + 2 * pair] = static_cast<float>(radius * std::cos(angle));
        if (i + 2 * pair + 1 < end) out[i + 2 * pair + 1] = static_cast<float>(radius * std::sin(angle));
      }
    }
  });
  tensor.copy_(values);
}

bool ends_with(const std::string& text, std::string_view ending) {
  return text.size() >= ending.size() && std::string_view(text).substr(text.size() - ending.size()) == ending;
}

}  // namespace

Model Model::from_folder(const fs::path& folder, at::ScalarType dtype, at::Device device) {
  const at::NoGradGuard no_grad;
  ModelConfig config = read_model_config(folder);
  check_fits_memory(config, static_cast<int64_t>(c10::elementSize(dtype)), (folder / "config.json").string());
  auto weights = open_weights(folder);
  if (config.tied) drop_repeated_head(weights);
  Model model(std::move(config), dtype, device);
  std::vector<std::string> known;
  for (auto& target : model.named_tensors()) {
    known.push_back(target.name);
    const auto found = weights.holder.find(target.name);
    if (found == weights.holder.end()) {
      fail(ErrorKind::input, "{}: the tensor {} is missing{}", folder.string(), target.name,
           target.name == "lm_head.weight" ? " (config.json says tie_word_embeddings: false)" : "");
    }
    const auto& file = weights.files[found->second];
    const auto source = file.tensor(target.name);
    const auto where = file.path().string();
    if (source.sizes() != target.tensor.sizes()) {
      fail(ErrorKind::input, "{}: tensor {} has shape [{}], expected [{}]", where, target.name,
           fmt::join(source.sizes(), ", "), fmt::join(target.tensor.sizes(), ", "));
    }
    if (!source.is_floating_point()) {
      fail(ErrorKind::unsupported, "{}: tensor {} has dtype {}, expected f32, bf16 or f16", where, target.name,
           c10::toString(source.scalar_type()));
    }
    check_finite(source, where, target.name);
    target.tensor.copy_(source);
    weights.holder.erase(found);
  }
  for (const auto& [name, index] : weights.holder) {
    // Buffers that older exporters stored; they follow from the config.
    if (ends_with(name, "rotary_emb.inv_freq")) continue;
    fail(ErrorKind::input, "{}: the tensor {} does not belong to this architecture{}",
         weights.files[index].path().string(), name, did_you_mean(name, known));
  }
  return model;
}

Model Model::random(ModelConfig config, uint64_t seed, at::ScalarType dtype, at::Device device) {
  const at::NoGradGuard no_grad;
  check_fits_memory(config, static_cast<int64_t>(c10::elementSize(dtype)), "the model's config.json");
  Model model(std::move(config), dtype, device);
  uint64_t index = 0;
  for (auto& target : model.named_tensors()) {
    ++index;
    if (target.tensor.dim() == 1) {
      target.tensor.fill_(ends_with(target.name, "bias") ? 0.0 : 1.0);
    } else if (ends_with(target.name, "embed_tokens.weight")) {
      fill_normal(target.tensor, seed, index, 0.05);
    } else {
      const bool output = ends_with(target.name, "o_proj.weight") || ends_with(target.name, "down_proj.weight");
      fill_normal(target.tensor, seed, index,
                  (output ? 0.4 : 1.0) / std::sqrt(static_cast<double>(target.tensor.size(1))));
    }
  }
  return model;
}

void Model::save_folder(const fs::path& folder, at::ScalarType dtype) const {
  if (dtype != at::kFloat && dtype != at::kBFloat16)
    fail(ErrorKind::unsupported, "weights cannot be saved as {}; expected f32 or bf16", c10::toString(dtype));
  ensure_writable_folder(folder);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& named : named_tensors()) tensors.emplace_back(named.name, named.tensor.to(dtype));
  write_safetensors(folder / "model.safetensors", tensors);
  write_file_atomic(folder / "config.json", to_config_json(config_, dtype == at::kFloat ? "float32" : "bfloat16"));
  if (const auto generation = to_generation_json(config_); !generation.empty())
    write_file_atomic(folder / "generation_config.json", generation);
}

}  // namespace laconic::model

// Folders of models: written and read again, in shards, and every way in which one can be damaged.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "laconic/core/model/safetensors.h"
#include "tests/core/model/config_file.h"
#include "tests/core/model/logits.h"
#include "tests/support/tiny_model.h"

namespace laconic::model {
namespace {

using testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor>;

Tensors tensors_of(const Model& model) {
  Tensors all;
  for (const auto& named : model.named_tensors()) all[named.name] = named.tensor.clone();
  return all;
}

// A folder written tensor by tensor, so that a test can damage one of them.
class ModelFolder {
 public:
  explicit ModelFolder(Architecture architecture = Architecture::qwen2, bool tied = true) {
    auto config = tiny_config(architecture);
    config.tied = tied;
    model_ = std::make_unique<Model>(Model::random(config, 3, at::kFloat, at::kCPU));
    model_->save_folder(folder_.path(), at::kFloat);
    tensors = tensors_of(*model_);
  }

  void write() const { write_file("model.safetensors", tensors); }
  void write_file(const std::string& name, const Tensors& content) const {
    write_safetensors(folder_ / name, {content.begin(), content.end()});
  }
  // Tensors whose names hold "layers.0" in one shard, the others in another.
  void write_shards() const {
    std::filesystem::remove(folder_ / "model.safetensors");
    Tensors parts[2];
    Json map = Json::object();
    for (const auto& [name, tensor] : tensors) {
      const size_t part = name.find("layers.0") == std::string::npos ? 1 : 0;
      parts[part][name] = tensor;
      map[name] = part == 0 ? "one.safetensors" : "two.safetensors";
    }
    write_file("one.safetensors", parts[0]);
    write_file("two.safetensors", parts[1]);
    write_index(map);
  }
  void write_index(const Json& map) const {
    write_file_atomic(folder_ / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  }
  Json index() const { return Json::parse(read_file(folder_ / "model.safetensors.index.json"))["weight_map"]; }

  Model read(at::ScalarType dtype = at::kFloat) const { return Model::from_folder(folder_.path(), dtype, at::kCPU); }
  std::string problem() const {
    return error_of([&] { read(); });
  }
  const Model& model() const { return *model_; }
  const std::filesystem::path& path() const { return folder_.path(); }

  Tensors tensors;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Model> model_;
};

TEST(ModelFolder, WrittenAndReadAgain) {
  for (const auto architecture :
       {Architecture::llama, Architecture::mistral, Architecture::qwen2, Architecture::qwen3}) {
    for (const bool tied : {true, false}) {
      const ModelFolder folder(architecture, tied);
      const auto read = folder.read();
      const auto ids = token_ids(read, 40);
      EXPECT_TRUE(at::equal(logits_of(read, ids), logits_of(folder.model(), ids)));
      EXPECT_EQ(read.config().tied, tied);
      EXPECT_EQ(read.head().is_same(read.parameters()[0].tensor), tied);
      EXPECT_FALSE(std::filesystem::exists(folder.path() / "generation_config.json")) << "there is nothing to say";
    }
  }
}

TEST(ModelFolder, OverwritingItsOwnFolderKeepsForeignFields) {
  const ModelFolder folder;
  auto config = Json::parse(read_file(folder.path() / "config.json"));
  config["bos_token_id"] = 1;
  config["attention_dropout"] = 0.5;
  write_file_atomic(folder.path() / "config.json", config.dump());
  write_file_atomic(folder.path() / "generation_config.json", R"({"temperature": 0.6, "eos_token_id": [4, 5]})");
  const auto model = folder.read();
  model.save_folder(folder.path(), at::kBFloat16);
  const auto generation = Json::parse(read_file(folder.path() / "generation_config.json"));
  EXPECT_EQ(generation, Json::parse(R"({"temperature": 0.6, "eos_token_id": [4, 5]})"));
  const auto written = Json::parse(read_file(folder.path() / "config.json"));
  EXPECT_EQ(written["attention_dropout"], 0.5);
  EXPECT_EQ(written["torch_dtype"], "bfloat16");
  EXPECT_EQ(folder.read().config().eos_ids, (std::vector<int32_t>{4, 5}));
  EXPECT_THAT(error_of([&] { model.save_folder(folder.path(), at::kHalf); }), HasSubstr("cannot be saved as Half"));
}

TEST(ModelFolder, OtherDtypesAreConverted) {
  ModelFolder folder;
  for (const auto file_dtype : {at::kBFloat16, at::kHalf, at::kDouble}) {
    for (auto& [name, tensor] : folder.tensors) tensor = tensor.to(file_dtype);
    folder.write();
    for (const auto dtype : {at::kFloat, at::kBFloat16}) {
      for (const auto& named : folder.read(dtype).named_tensors())
        EXPECT_TRUE(at::equal(named.tensor, folder.tensors[named.name].to(dtype))) << named.name;
    }
  }
  folder.tensors["model.norm.weight"] = at::ones({40}, at::kInt);
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("model.norm.weight has dtype Int"));
  EXPECT_THAT(error_of([&] { folder.read(at::kHalf); }), HasSubstr("not supported"));
}

TEST(ModelFolder, MissingExtraAndMisshapenTensors) {
  ModelFolder folder(Architecture::qwen2, /*tied=*/false);
  const auto good = folder.tensors;
  for (const auto& [name, tensor] : good) {
    folder.tensors = good;
    folder.tensors.erase(name);
    folder.write();
    EXPECT_THAT(folder.problem(), HasSubstr("the tensor " + name + " is missing"));
  }
  folder.tensors = good;
  folder.tensors["model.layers.0.self_attn.q_projj.weight"] = at::ones({2});
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("did you mean `model.layers.0.self_attn.q_proj.weight`"));
  folder.tensors = good;
  folder.tensors["model.layers.2.mlp.up_proj.weight"] = at::ones({72, 40});  // a layer too many
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("model.layers.2.mlp.up_proj.weight does not belong"));
  for (const auto& shape : std::vector<std::vector<int64_t>>{{72, 41}, {40, 72}, {2880}, {1, 72, 40}, {0, 40}}) {
    folder.tensors = good;
    folder.tensors["model.layers.1.mlp.up_proj.weight"] = at::ones(shape);
    folder.write();
    EXPECT_THAT(folder.problem(), HasSubstr("model.layers.1.mlp.up_proj.weight has shape"));
    EXPECT_THAT(folder.problem(), HasSubstr("expected [72, 40]"));
  }
  folder.tensors = good;
  folder.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = at::ones({5});  // old exporters wrote it
  folder.write();
  EXPECT_EQ(folder.problem(), "");
}

TEST(ModelFolder, WeightsThatAreNotFinite) {
  ModelFolder folder;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    folder.tensors = tensors_of(folder.model());
    folder.tensors["model.layers.1.self_attn.k_proj.weight"][3][7] = bad;
    folder.write();
    EXPECT_THAT(folder.problem(), HasSubstr("k_proj.weight holds 1 values that are not finite, the first at [3, 7]"));
  }
  folder.tensors = tensors_of(folder.model());
  folder.tensors["model.norm.weight"].fill_(3e38f);  // finite, though its sum is not in f32
  folder.write();
  EXPECT_EQ(folder.problem(), "");
}

TEST(ModelFolder, ATiedHeadMustBeTheEmbedding) {
  ModelFolder folder(Architecture::llama, /*tied=*/true);
  const auto& embedding = folder.tensors["model.embed_tokens.weight"];
  folder.tensors["lm_head.weight"] = embedding.clone();
  folder.write();
  EXPECT_EQ(folder.problem(), "") << "old files repeat it";
  folder.tensors["lm_head.weight"] = embedding.to(at::kBFloat16);
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("lm_head.weight differs"));
  folder.tensors["lm_head.weight"] = embedding.clone();
  folder.tensors["lm_head.weight"][60][39] += 1e-3;
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("lm_head.weight differs from model.embed_tokens.weight"));
  EXPECT_THAT(folder.problem(), HasSubstr("tie_word_embeddings"));
  folder.tensors["lm_head.weight"] = at::ones({61, 41});
  folder.write();
  EXPECT_THAT(folder.problem(), HasSubstr("lm_head.weight differs"));
}

TEST(ModelFolder, Shards) {
  const ModelFolder folder;
  folder.write_shards();
  const auto ids = token_ids(folder.model(), 20);
  EXPECT_TRUE(at::equal(logits_of(folder.read(), ids), logits_of(folder.model(), ids)));

  auto index = folder.index();
  const std::string name = "model.layers.0.mlp.up_proj.weight";
  index[name] = "two.safetensors";  // it is in the other one
  folder.write_index(index);
  EXPECT_THAT(folder.problem(), HasSubstr(name + " is not in two.safetensors"));
  index = folder.index();
  index[name] = "three.safetensors";
  folder.write_index(index);
  EXPECT_THAT(folder.problem(), HasSubstr("shard three.safetensors is missing"));

  folder.write_shards();
  auto all = folder.tensors;
  folder.write_file("one.safetensors", all);  // every tensor, those of the other shard as well
  EXPECT_THAT(folder.problem(), HasSubstr("is in two shards"));
  std::erase_if(all, [&](const auto& e) { return e.first == name || e.first.find("layers.0") == std::string::npos; });
  folder.write_file("one.safetensors", all);
  EXPECT_THAT(folder.problem(), HasSubstr("tensor " + name + " is not in one.safetensors"));
  std::filesystem::remove(folder.path() / "one.safetensors");
  EXPECT_THAT(folder.problem(), HasSubstr("shard one.safetensors is missing"));
}

TEST(ModelFolder, DamagedIndexAndNoWeights) {
  const ModelFolder folder;
  folder.write_shards();
  for (const char* text : {"", "{", "[]", "{}", R"({"weight_map": 3})", R"({"weight_map": {"a": 1}})"}) {
    write_file_atomic(folder.path() / "model.safetensors.index.json", text);
    EXPECT_THAT(folder.problem(), HasSubstr("model.safetensors.index.json")) << text;
  }
  write_file_atomic(folder.path() / "model.safetensors.index.json", R"({"weight_map": {}})");
  EXPECT_THAT(folder.problem(), HasSubstr("is missing"));
  std::filesystem::remove(folder.path() / "model.safetensors.index.json");
  EXPECT_THAT(folder.problem(), HasSubstr("neither model.safetensors nor"));
}

}  // namespace
}  // namespace laconic::model

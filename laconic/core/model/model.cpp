#include "laconic/core/model/model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/model/rope_table.h"
#include "laconic/core/ops/attention.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/linear.h"

namespace laconic::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kEmbeddingUnit = 0;  // of weight_use.h

at::Tensor gather_rows(const at::Tensor& embedding, const at::Tensor& ids, at::ScalarType dtype) {
  return embedding.detach().index_select(0, ids).to(dtype);
}

// What the embedding's backward pass needs besides tensors.
struct EmbeddingRecord : torch::CustomClassHolder {
  at::ScalarType dtype = at::kFloat;  // of the rows
  WeightUse* use = nullptr;
};

// Rows of the embedding; the backward pass adds to its .grad(), token after token.
struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& embedding, const at::Tensor& ids,
                            const c10::intrusive_ptr<EmbeddingRecord>& record) {
    ctx->save_for_backward({embedding, ids});
    ctx->saved_data["record"] = c10::IValue::make_capsule(record);
    return gather_rows(embedding, ids, record->dtype);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto record = c10::static_intrusive_pointer_cast<EmbeddingRecord>(ctx->saved_data["record"].toCapsule());
    const auto saved = ctx->get_saved_variables();
    const at::NoGradGuard no_grad;
    if (record->use != nullptr) record->use->acquire(kEmbeddingUnit, Pass::backward);
    ops::gradient_of(saved[0]).index_add_(0, saved[1], gradients[0].to(at::kFloat));
    if (record->use != nullptr) record->use->release(kEmbeddingUnit, Pass::backward);
    return {at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

void check_tokens(const at::Tensor& ids, const at::Tensor& positions, const ModelConfig& config) {
  LACONIC_CHECK(ids.dim() == 1 && ids.sizes() == positions.sizes() && ids.scalar_type() == at::kLong &&
                    positions.scalar_type() == at::kLong && ids.is_contiguous() && positions.is_contiguous(),
                "ids and positions must be [tokens] int64, contiguous");
  // Elsewhere than on the CPU looking at them would mean waiting for them.
  if (ops::device_ops(ids) != nullptr || ids.numel() == 0) return;
  const int64_t* id = ids.const_data_ptr<int64_t>();
  const int64_t* position = positions.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < ids.numel(); ++i) {
    if (id[i] < 0 || id[i] >= config.vocab_size)
      fail(ErrorKind::input, "token id {} is outside of the model's vocabulary of {}", id[i], config.vocab_size);
    LACONIC_CHECK(position[i] >= 0, "positions count from 0, found {}", position[i]);
    if (position[i] >= config.max_positions) {
      fail(ErrorKind::input, "a sequence of at least {} tokens is longer than the model's window of {}",
           position[i] + 1, config.max_positions);
    }
  }
}

}  // namespace

Model::Model(ModelConfig config, at::ScalarType dtype, at::Device device)
    : config_(std::move(config)), dtype_(dtype), device_(device) {
  if (dtype != at::kFloat && dtype != at::kBFloat16) {
    fail(ErrorKind::unsupported, "weights of dtype {} are not supported; expected f32 or bf16", c10::toString(dtype));
  }
  const auto options = at::TensorOptions().dtype(dtype).device(device);
  const auto make = [&](at::IntArrayRef sizes) { return at::empty(sizes, options); };
  const auto make_if = [&](bool wanted, at::IntArrayRef sizes) {
    return wanted ? at::empty(sizes, options) : at::Tensor();
  };
  embedding_ = make({config_.vocab_size, config_.hidden});
  final_norm_ = make({config_.hidden});
  head_ = config_.tied ? embedding_ : make({config_.vocab_size, config_.hidden});
  for (int64_t i = 0; i < config_.layers; ++i) {
    LayerWeights w;
    w.unit = i + 1;
    w.input_norm = make({config_.hidden});
    w.qkv = make({config_.qkv_rows(), config_.hidden});
    w.qkv_bias = make_if(config_.qkv_bias, {config_.qkv_rows()});
    w.q_norm = make_if(config_.qk_norm, {config_.head_dim});
    w.k_norm = make_if(config_.qk_norm, {config_.head_dim});
    w.output = make({config_.hidden, config_.heads * config_.head_dim});
    w.output_bias = make_if(config_.output_bias, {config_.hidden});
    w.post_norm = make({config_.hidden});
    w.gate_up = make({2 * config_.intermediate, config_.hidden});
    w.gate_up_bias = make_if(config_.mlp_bias, {2 * config_.intermediate});
    w.down = make({config_.hidden, config_.intermediate});
    w.down_bias = make_if(config_.mlp_bias, {config_.hidden});
    layers_.push_back(std::move(w));
  }
  rope_ = make_rope_table(config_).to(device);
}

at::ScalarType Model::compute_dtype() const {
  return ops::activation_dtype(device_, dtype_);
}

LayerContext Model::context(const at::Tensor& positions) const {
  LayerContext context;
  context.shape = head_shape();
  context.norm_epsilon = config_.rms_epsilon;
  context.positions = positions;
  context.rope = rope_;
  context.use = use_;
  return context;
}

at::Tensor Model::hidden_states(const at::Tensor& ids, const at::Tensor& positions, std::span<const int64_t> offsets,
                                const ForwardOptions& options) const {
  check_tokens(ids, positions, config_);
  auto shared = std::make_shared<LayerContext>(context(positions));
  shared->offsets.assign(offsets.begin(), offsets.end());
  shared->offsets_on_device = ops::packed_sequences(offsets, device_).on_device;
  if (!at::GradMode::is_enabled() || !embedding_.requires_grad()) {
    const at::NoGradGuard no_grad;
    acquire(kEmbeddingUnit, Pass::inference);
    auto x = gather_rows(embedding_, ids, compute_dtype());
    release(kEmbeddingUnit, Pass::inference);
    LayerBuffers buffers;
    const Attend attend = [&](at::Tensor& qkv, const ops::Rotation& rotation, at::Tensor& out) {
      ops::rotate_into(qkv, shared->shape, rotation, qkv);
      ops::packed_attention_into(qkv, shared->sequences(), shared->shape, out, nullptr);
    };
    for (const auto& layer : layers_) {
      acquire(layer.unit, Pass::inference);
      layer_forward_(layer, *shared, attend, x, buffers);
      release(layer.unit, Pass::inference);
    }
    return x;
  }
  auto record = c10::make_intrusive<EmbeddingRecord>();
  record->dtype = compute_dtype();
  record->use = use_;
  acquire(kEmbeddingUnit, Pass::forward);
  auto x = EmbeddingFunction::apply(embedding_, ids, record);
  release(kEmbeddingUnit, Pass::forward);
  for (const auto& layer : layers_) {
    acquire(layer.unit, Pass::forward);
    x = layer_forward(layer, shared, x, options.recompute);
    release(layer.unit, Pass::forward);
  }
  return x;
}

const at::Tensor& Model::hidden_states(const at::Tensor& ids, const at::Tensor& positions, Attention& attention,
                                       InferenceBuffers& buffers) const {
  const at::NoGradGuard no_grad;
  check_tokens(ids, positions, config_);
  if (!buffers.x.defined() || buffers.x.size(0) != ids.numel()) {
    buffers.x = at::empty({ids.numel(), config_.hidden}, at::TensorOptions().dtype(compute_dtype()).device(device_));
  }
  acquire(kEmbeddingUnit, Pass::inference);
  if (dtype_ == compute_dtype()) {
    at::index_select_out(buffers.x, embedding_.detach(), 0, ids);
  } else {
    buffers.x.copy_(embedding_.detach().index_select(0, ids));
  }
  release(kEmbeddingUnit, Pass::inference);
  const auto shared = context(positions);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Attend attend = [&](at::Tensor& qkv, const ops::Rotation& rotation, at::Tensor& out) {
      attention.attend(static_cast<int64_t>(i), qkv, rotation, out);
    };
    acquire(layers_[i].unit, Pass::inference);
    layer_forward_(layers_[i], shared, attend, buffers.x, buffers.layer);
    release(layers_[i].unit, Pass::inference);
  }
  return buffers.x;
}

std::vector<Parameter> Model::parameters() const {
  std::vector<Parameter> all;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) all.push_back({name, tensor, tensor.dim() > 1});
  };
  add("model.embed_tokens.weight", embedding_);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const auto& w = layers_[i];
    const std::string prefix = fmt::format("model.layers.{}.", i);
    add(prefix + "input_layernorm.weight", w.input_norm);
    add(prefix + "self_attn.qkv_proj.weight", w.qkv);
    add(prefix + "self_attn.qkv_proj.bias", w.qkv_bias);
    add(prefix + "self_attn.q_norm.weight", w.q_norm);
    add(prefix + "self_attn.k_norm.weight", w.k_norm);
    add(prefix + "self_attn.o_proj.weight", w.output);
    add(prefix + "self_attn.o_proj.bias", w.output_bias);
    add(prefix + "post_attention_layernorm.weight", w.post_norm);
    add(prefix + "mlp.gate_up_proj.weight", w.gate_up);
    add(prefix + "mlp.gate_up_proj.bias", w.gate_up_bias);
    add(prefix + "mlp.down_proj.weight", w.down);
    add(prefix + "mlp.down_proj.bias", w.down_bias);
  }
  add("model.norm.weight", final_norm_);
  if (!config_.tied) add("lm_head.weight", head_);
  return all;
}

std::vector<NamedTensor> Model::named_tensors() const {
  std::vector<NamedTensor> all;
  const int64_t q = config_.heads * config_.head_dim, kv = config_.kv_heads * config_.head_dim;
  const auto slices = [&](const std::string& prefix, const std::string& suffix, const at::Tensor& fused,
                          std::initializer_list<std::pair<const char*, int64_t>> parts) {
    int64_t begin = 0;
    for (const auto& [part, rows] : parts) {
      all.push_back({prefix + part + suffix, fused.detach().narrow(0, begin, rows)});
      begin += rows;
    }
  };
  for (const auto& parameter : parameters()) {
    const auto& name = parameter.name;
    const auto split_at = [&](const char* fused) { return name.find(fused); };
    if (const auto at = split_at("qkv_proj"); at != std::string::npos) {
      slices(name.substr(0, at), name.substr(at + 8), parameter.tensor,
             {{"q_proj", q}, {"k_proj", kv}, {"v_proj", kv}});
    } else if (const auto gate = split_at("gate_up_proj"); gate != std::string::npos) {
      slices(name.substr(0, gate), name.substr(gate + 12), parameter.tensor,
             {{"gate_proj", config_.intermediate}, {"up_proj", config_.intermediate}});
    } else {
      all.push_back({name, parameter.tensor.detach()});
    }
  }
  return all;
}

void Model::set_trainable(bool trainable) {
  for (auto& parameter : parameters()) parameter.tensor.set_requires_grad(trainable);
}

Model Model::clone_frozen() const {
  Model copy(config_, dtype_, device_);
  const at::NoGradGuard no_grad;
  const auto from = parameters();
  auto to = copy.parameters();
  for (size_t i = 0; i < from.size(); ++i) to[i].tensor.copy_(from[i].tensor);
  return copy;
}

}  // namespace laconic::model

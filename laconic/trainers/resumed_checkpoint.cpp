#include "laconic/trainers/resumed_checkpoint.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/distributed/bytes.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using checkpoint::Store;
using checkpoint::TensorFiles;
using nlohmann::json;

json description(const optim::TensorSource& source) {
  json tensors = json::object();
  for (const auto& name : source.names()) tensors[name] = {source.sizes(name), static_cast<int>(source.dtype(name))};
  return tensors;
}

// Tensors whose values rank 0 has and sends.
class SentTensors final : public optim::TensorSource {
 public:
  SentTensors(distributed::Communicator& communicator, json tensors, std::optional<TensorFiles> own)
      : communicator_(communicator), tensors_(std::move(tensors)), own_(std::move(own)) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    names.reserve(tensors_.size());
    for (const auto& [name, tensor] : tensors_.items()) names.push_back(name);
    return names;
  }
  std::vector<int64_t> sizes(const std::string& name) const override {
    return tensors_.at(name).at(0).get<std::vector<int64_t>>();
  }
  at::ScalarType dtype(const std::string& name) const override {
    return static_cast<at::ScalarType>(tensors_.at(name).at(1).get<int>());
  }
  void read(const std::string& name, int64_t begin, const at::Tensor& target) const override {
    if (own_) own_->read(name, begin, target);
    if (target.numel() > 0) communicator_.broadcast(target, 0).wait();
  }

 private:
  distributed::Communicator& communicator_;
  const json tensors_;
  const std::optional<TensorFiles> own_;  // on rank 0
};

std::string to_bytes(const json& value) {
  const auto bytes = json::to_cbor(value);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

json message_of(const Store::Loaded& loaded) {
  return {{"position", {loaded.position.step, loaded.position.update}},
          {"folder", loaded.folder.string()},
          {"state", loaded.content.state},
          {"rollout", loaded.content.rollout},
          {"weights", description(loaded.weights)},
          {"optimizer", description(loaded.optimizer)}};
}

// What rank 0 has found good, read by another rank.
Store::Loaded load_own(int rank, const fs::path& folder) {
  try {
    return Store::load(folder, Store::Check::sizes);
  } catch (const Error& error) {
    fail(error.kind(), "rank {}: the checkpoint {} cannot be used: {}", rank, folder.string(), error.what());
  }
}

ResumedCheckpoint from_files(Store::Loaded loaded) {
  return {loaded.position, loaded.folder, std::move(loaded.content),
          std::make_unique<TensorFiles>(std::move(loaded.weights)),
          std::make_unique<TensorFiles>(std::move(loaded.optimizer))};
}

}  // namespace

std::optional<ResumedCheckpoint> share_checkpoint(distributed::Communicator& communicator,
                                                  std::optional<Store::Loaded> loaded, bool divided,
                                                  const fs::path& folder) {
  if (communicator.alone()) return loaded ? std::optional(from_files(std::move(*loaded))) : std::nullopt;
  json message = loaded ? message_of(*loaded) : json();
  message = json::from_cbor(distributed::broadcast_bytes(communicator, to_bytes(message), 0));
  if (message.is_null()) return std::nullopt;
  const fs::path place = message.at("folder").get<std::string>();
  if (divided)
    return from_files(loaded ? std::move(*loaded) : load_own(communicator.rank(), folder / place.filename()));
  ResumedCheckpoint shared;
  shared.position = {message.at("position").at(0), message.at("position").at(1)};
  shared.folder = place;
  shared.content.state = message.at("state");
  shared.content.rollout = message.at("rollout");
  const auto sent = [&](const char* content, TensorFiles Store::Loaded::*own) {
    return std::make_unique<SentTensors>(communicator, message.at(content),
                                         loaded ? std::optional(std::move((*loaded).*own)) : std::nullopt);
  };
  shared.weights = sent("weights", &Store::Loaded::weights);
  shared.optimizer = sent("optimizer", &Store::Loaded::optimizer);
  return shared;
}

void restore_from(const ResumedCheckpoint& loaded, const std::function<void(const json& state)>& body) {
  try {
    body(loaded.content.state);
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "the checkpoint {} cannot be used: its state is damaged: {}", loaded.folder.string(),
         parser_reason(error.what()));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    fail(ErrorKind::input, "the checkpoint {} does not fit this run: {}", loaded.folder.string(), error.what());
  }
}

}  // namespace laconic::trainers

#include "laconic/core/checkpoint/store.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/model/safetensors.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kManifest = "manifest.json";

std::string folder_name(const Position& p) {
  return fmt::format("step-{:08}.{:04}", p.step, p.update);
}

std::optional<Position> position_of(const fs::path& folder) {
  long long step = 0, update = 0;
  int used = 0;
  const std::string name = folder.filename().string();
  if (std::sscanf(name.c_str(), "step-%lld.%lld%n", &step, &update, &used) != 2) return std::nullopt;
  return Position{step, update};
}

uint32_t file_crc(const fs::path& path) {
  const MappedFile file(path);
  uLong crc = ::crc32(0, nullptr, 0);
  const auto* data = reinterpret_cast<const Bytef*>(file.data());
  constexpr size_t kPiece = 1u << 30;
  for (size_t at = 0; at < file.size(); at += kPiece) {
    crc = ::crc32(crc, data + at, static_cast<uInt>(std::min(kPiece, file.size() - at)));
  }
  return static_cast<uint32_t>(crc);
}

void write_manifest(const fs::path& folder, const Position& position) {
  json files = json::object();
  for (const auto& entry : fs::directory_iterator(folder)) {
    sync_path(entry.path());
    files[entry.path().filename().string()] = {{"bytes", entry.file_size()}, {"crc32", file_crc(entry.path())}};
  }
  const json manifest = {{"format", kFormat}, {"step", position.step}, {"update", position.update}, {"files", files}};
  write_file_atomic(folder / kManifest, manifest.dump(2) + "\n");
}

Position check_manifest(const fs::path& folder) {
  if (!fs::exists(folder / kManifest)) fail(ErrorKind::input, "it is incomplete: {} is missing", kManifest);
  json manifest;
  try {
    manifest = json::parse(read_file(folder / kManifest));
    if (manifest.at("format") != kFormat)
      fail(ErrorKind::input, "its format is {}, expected {}", manifest["format"].dump(), kFormat);
    for (const auto& [name, expected] : manifest.at("files").items()) {
      const auto path = folder / name;
      if (!fs::exists(path)) fail(ErrorKind::input, "it is incomplete: {} is missing", name);
      if (fs::file_size(path) != expected.at("bytes").get<uintmax_t>()) {
        fail(ErrorKind::input, "{} has {} bytes, expected {}", name, fs::file_size(path), expected.at("bytes").dump());
      }
      if (file_crc(path) != expected.at("crc32").get<uint32_t>())
        fail(ErrorKind::input, "the checksum of {} does not match", name);
    }
    return {manifest.at("step"), manifest.at("update")};
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "its {} is damaged: {}", kManifest, error.what());
  }
}

NamedTensors read_tensors(const fs::path& path) {
  const model::SafetensorsFile file(path);
  NamedTensors tensors;
  for (const auto& name : file.names()) tensors.emplace_back(name, file.tensor(name).clone());
  return tensors;
}

}  // namespace

Store::Store(fs::path folder, int keep) : folder_(std::move(folder)), keep_(keep) {
  LACONIC_CHECK(keep_ >= 1, "a checkpoint store must keep at least one checkpoint, found {}", keep_);
}

fs::path Store::save(const Position& position, const Content& content) {
  ensure_writable_folder(folder_);
  auto target = folder_ / folder_name(position);
  auto partial = target;
  partial += ".partial";
  std::error_code ignored;
  fs::remove_all(partial, ignored);
  try {
    fs::create_directories(partial);
    model::write_safetensors(partial / "weights.safetensors", content.weights);
    model::write_safetensors(partial / "optimizer.safetensors", content.optimizer);
    write_file_atomic(partial / "state.json", content.state.dump(2) + "\n");
    if (!content.rollout.is_null()) {
      const auto bytes = json::to_cbor(content.rollout);
      write_file_atomic(partial / "rollout.cbor", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    write_manifest(partial, position);
    fs::remove_all(target, ignored);
    fs::rename(partial, target);
    sync_path(folder_);
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(partial, ignored);
    fail(ErrorKind::io, "cannot write the checkpoint {}: {}", target.string(), error.code().message());
  } catch (...) {
    fs::remove_all(partial, ignored);
    throw;
  }
  remove_old();
  return target;
}

std::vector<fs::path> Store::folders_newest_first() const {
  std::vector<std::pair<Position, fs::path>> found;
  if (fs::is_directory(folder_)) {
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const auto position = position_of(entry.path());
      if (entry.is_directory() && position) found.emplace_back(*position, entry.path());
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a > b; });
  std::vector<fs::path> folders;
  folders.reserve(found.size());
  for (auto& entry : found) folders.push_back(std::move(entry.second));
  return folders;
}

void Store::remove_old() const {
  int complete = 0;
  std::error_code ignored;
  for (const auto& folder : folders_newest_first()) {
    const bool partial = folder.extension() == ".partial";
    if (!partial) ++complete;
    if (partial || complete > keep_) fs::remove_all(folder, ignored);
  }
}

Store::Loaded Store::load(const fs::path& folder) {
  Loaded loaded;
  loaded.folder = folder;
  loaded.position = check_manifest(folder);
  loaded.content.weights = read_tensors(folder / "weights.safetensors");
  loaded.content.optimizer = read_tensors(folder / "optimizer.safetensors");
  try {
    loaded.content.state = json::parse(read_file(folder / "state.json"));
    if (fs::exists(folder / "rollout.cbor"))
      loaded.content.rollout = json::from_cbor(read_file(folder / "rollout.cbor"));
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "its state is damaged: {}", error.what());
  }
  return loaded;
}

std::optional<Store::Loaded> Store::load_newest(
    const std::function<void(const fs::path&, const std::string&)>& on_passed_over) const {
  for (const auto& folder : folders_newest_first()) {
    if (folder.extension() == ".partial") {
      on_passed_over(folder, "it is incomplete: the run ended while it was written");
      continue;
    }
    try {
      return load(folder);
    } catch (const Error& error) {
      on_passed_over(folder, error.what());
    }
  }
  return std::nullopt;
}

bool Store::empty() const {
  return folders_newest_first().empty();
}

}  // namespace laconic::checkpoint

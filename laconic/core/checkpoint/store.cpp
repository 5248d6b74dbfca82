#include "laconic/core/checkpoint/store.h"

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/model/safetensors.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kManifest = "manifest.json";
constexpr const char* kPartial = ".partial";    // is being written
constexpr const char* kReplaced = ".replaced";  // complete, and about to be replaced by another of its position

std::string folder_name(const Position& p) {
  return fmt::format("step-{:08}.{:04}", p.step, p.update);
}

// Nothing for the name of anything that the store did not write, such as a user's copy "step-00000100.0000.best".
std::optional<Position> position_of(const fs::path& folder) {
  long long step = 0, update = 0;
  int used = 0;
  const std::string name = folder.filename().string();
  if (std::sscanf(name.c_str(), "step-%lld.%lld%n", &step, &update, &used) != 2) return std::nullopt;
  const std::string rest = name.substr(static_cast<size_t>(used));
  if (!rest.empty() && rest != kPartial && rest != kReplaced) return std::nullopt;
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

void write_manifest(const fs::path& folder, const Position& position, const Content& content) {
  json files = json::object();
  for (const auto& entry : fs::directory_iterator(folder)) {
    sync_path(entry.path());
    files[entry.path().filename().string()] = {{"bytes", entry.file_size()}, {"crc32", file_crc(entry.path())}};
  }
  json manifest = {{"format", kFormat}, {"step", position.step}, {"update", position.update}, {"files", files}};
  if (!content.evaluation.empty()) manifest["evaluation"] = content.evaluation;
  write_file_atomic(folder / kManifest, manifest.dump(2) + "\n");
}

// Whether every file is read to compare its sum, or only its size is looked at.
enum class Check { sizes, sums };

void check_file(const fs::path& path, const json& expected, Check check) {
  const std::string name = path.filename().string();
  if (!fs::exists(path)) fail(ErrorKind::input, "it is incomplete: {} is missing", name);
  if (!fs::is_regular_file(path)) fail(ErrorKind::input, "{} is no regular file", name);
  if (fs::file_size(path) != expected.at("bytes").get<uintmax_t>())
    fail(ErrorKind::input, "{} has {} bytes, expected {}", name, fs::file_size(path), expected.at("bytes").dump());
  if (check == Check::sums && file_crc(path) != expected.at("crc32").get<uint32_t>())
    fail(ErrorKind::input, "the checksum of {} does not match", name);
}

struct Manifest {
  Position position;
  std::map<std::string, double> evaluation;
};

Manifest check_manifest(const fs::path& folder, Check check) {
  if (!fs::exists(folder / kManifest)) fail(ErrorKind::input, "it is incomplete: {} is missing", kManifest);
  try {
    const json manifest = json::parse(read_file(folder / kManifest));
    if (manifest.at("format") != kFormat)
      fail(ErrorKind::input, "its format is {}, expected {}", manifest["format"].dump(), kFormat);
    const auto& files = manifest.at("files");
    for (const char* name : {"weights.safetensors", "optimizer.safetensors", "state.json", "rollout.cbor"}) {
      const bool wanted = std::string_view(name) != "rollout.cbor" || fs::exists(folder / name);
      if (wanted && !files.contains(name)) fail(ErrorKind::input, "its {} does not list {}", kManifest, name);
    }
    for (const auto& [name, expected] : files.items()) check_file(folder / name, expected, check);
    const Position position{manifest.at("step"), manifest.at("update")};
    if (position_of(folder).value_or(position) != position) {
      fail(ErrorKind::input, "its {} says step {}, update {}, which its name does not", kManifest, position.step,
           position.update);
    }
    return {position, manifest.value("evaluation", std::map<std::string, double>())};
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "its {} is damaged: {}", kManifest, parser_reason(error.what()));
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::input, "it cannot be read: {}", error.code().message());
  }
}

// Nothing for a folder that is not complete, as far as its sizes tell.
std::optional<Manifest> manifest_of_complete(const fs::path& folder) {
  try {
    return check_manifest(folder, Check::sizes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

NamedTensors read_tensors(const fs::path& path) {
  const model::SafetensorsFile file(path);
  NamedTensors tensors;
  for (const auto& name : file.names()) tensors.emplace_back(name, file.tensor(name).clone());
  return tensors;
}

// JSON has no word for NaN and infinity, which would come back as null.
std::string exact_text(const json& state) {
  std::string text;
  try {
    text = state.dump(2) + "\n";
  } catch (const json::exception& error) {
    fail(ErrorKind::internal, "the state cannot be written as JSON: {}", error.what());
  }
  if (json::parse(text) != state)
    fail(ErrorKind::internal, "the state does not survive being written as JSON: it holds a number that is not finite");
  return text;
}

void write_content(const fs::path& folder, const Content& content) {
  model::write_safetensors(folder / "weights.safetensors", content.weights);
  model::write_safetensors(folder / "optimizer.safetensors", content.optimizer);
  write_file_atomic(folder / "state.json", exact_text(content.state));
  if (content.rollout.is_null()) return;
  const auto bytes = json::to_cbor(content.rollout);
  write_file_atomic(folder / "rollout.cbor", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Gives a complete folder its name. Where a checkpoint has that name already, the two change places in one step, so
// that at every moment one of them is there; what was replaced is then removed.
void put_in_place(const fs::path& partial, const fs::path& target) {
  std::error_code ignored;
  if (!fs::exists(target)) {
    fs::rename(partial, target);
    return;
  }
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(partial, ignored);
    return;
  }
  // A file system without exchange: the old one keeps a name under which it is found.
  auto replaced = target;
  replaced += kReplaced;
  fs::remove_all(replaced, ignored);
  fs::rename(target, replaced);
  fs::rename(partial, target);
  fs::remove_all(replaced, ignored);
}

}  // namespace

Store::Store(fs::path folder, Retention retention) : folder_(std::move(folder)), retention_(std::move(retention)) {
  LACONIC_CHECK(retention_.newest >= 1, "a checkpoint store must keep at least one checkpoint, found {}",
                retention_.newest);
}

fs::path Store::save(const Position& position, const Content& content, const BeforeManifest& before_manifest) {
  ensure_writable_folder(folder_);
  auto target = folder_ / folder_name(position);
  auto partial = target;
  partial += kPartial;
  std::error_code ignored;
  fs::remove_all(partial, ignored);
  try {
    fs::create_directories(partial);
    write_content(partial, content);
    if (before_manifest) before_manifest(partial);
    write_manifest(partial, position, content);
    put_in_place(partial, target);
    sync_path(folder_);
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(partial, ignored);
    fail(ErrorKind::io, "cannot write the checkpoint {}: {}", target.string(), error.code().message());
  } catch (...) {
    fs::remove_all(partial, ignored);
    throw;
  }
  remove_old(position);
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
  // Of one position the one under its own name comes first.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<fs::path> folders;
  folders.reserve(found.size());
  for (auto& entry : found) folders.push_back(std::move(entry.second));
  return folders;
}

void Store::remove_old(const Position& saved) const {
  const auto best_one = best(saved);
  int complete = 0;
  std::error_code ignored;
  for (const auto& folder : folders_newest_first()) {
    if (folder.extension() == kPartial) {
      fs::remove_all(folder, ignored);
      continue;
    }
    const auto position = *position_of(folder);
    // A later one was passed over when this run began: it is damaged, whatever it looks like, and left to its owner.
    if (position > saved) continue;
    const bool usable = manifest_of_complete(folder).has_value();
    if (complete < retention_.newest) {
      complete += usable ? 1 : 0;
      continue;
    }
    const bool milestone = retention_.every > 0 && position.update == 0 && position.step % retention_.every == 0;
    const bool stays = usable && (milestone || (best_one && best_one->folder == folder));
    if (!stays) fs::remove_all(folder, ignored);
  }
}

std::optional<Store::Best> Store::best(const Position& last) const {
  std::optional<Best> best;
  if (retention_.best.empty()) return best;
  for (const auto& folder : folders_newest_first()) {
    if (folder.extension() == kPartial || *position_of(folder) > last) continue;
    const auto manifest = manifest_of_complete(folder);
    if (!manifest) continue;
    const auto found = manifest->evaluation.find(retention_.best);
    if (found == manifest->evaluation.end()) continue;
    if (!best || !is_better(best->value, found->second)) best = {folder, found->second};
  }
  return best;
}

bool Store::is_checkpoint(const fs::path& folder) {
  return position_of(folder) || fs::exists(folder / kManifest);
}

Store::Loaded Store::load(const fs::path& folder, What what) {
  Loaded loaded;
  loaded.folder = folder;
  const auto manifest = check_manifest(folder, Check::sums);
  loaded.position = manifest.position;
  loaded.content.evaluation = manifest.evaluation;
  loaded.content.weights = read_tensors(folder / "weights.safetensors");
  if (what == What::everything) loaded.content.optimizer = read_tensors(folder / "optimizer.safetensors");
  try {
    loaded.content.state = json::parse(read_file(folder / "state.json"));
    if (fs::exists(folder / "rollout.cbor"))
      loaded.content.rollout = json::from_cbor(read_file(folder / "rollout.cbor"));
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "its state is damaged: {}", parser_reason(error.what()));
  }
  return loaded;
}

std::optional<Store::Loaded> Store::load_newest(const std::function<void(const PassedOver&)>& on_passed_over,
                                                What what) const {
  for (const auto& folder : folders_newest_first()) {
    if (folder.extension() == kPartial) {
      on_passed_over({folder, "it is incomplete: the run ended while it was written", true});
      continue;
    }
    try {
      return load(folder, what);
    } catch (const Error& error) {
      on_passed_over({folder, error.what(), false});
    }
  }
  return std::nullopt;
}

bool Store::empty() const {
  return folders_newest_first().empty();
}

}  // namespace laconic::checkpoint

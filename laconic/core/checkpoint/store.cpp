#include "laconic/core/checkpoint/store.h"

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/checkpoint/json_input.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Whole tensors in one file, or the parts of several ranks in one file each.
constexpr int kWhole = 1, kParts = 2;
constexpr const char* kManifest = "manifest.json";
constexpr const char* kWeights = "weights";
constexpr const char* kOptimizer = "optimizer";
constexpr const char* kPartial = ".partial";    // is being written
constexpr const char* kReplaced = ".replaced";  // complete, and about to be replaced by another of its position

// Files of tensors.
std::string tensor_file(const char* content, const Share& share) {
  return share.ranks == 1 ? fmt::format("{}.safetensors", content)
                          : fmt::format("{}-{:05}-of-{:05}.safetensors", content, share.rank, share.ranks);
}

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
  const Position position{step, update};
  return step >= 0 && update >= 0 && name == folder_name(position) + rest ? std::optional(position) : std::nullopt;
}

uint32_t file_crc(const fs::path& path) {
  // Read piece by piece: a map of the whole file would count as memory of the run.
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::io, "cannot read {}", path.string());
  std::vector<char> piece(1 << 20);
  uLong crc = ::crc32(0, nullptr, 0);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0)
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(file.gcount()));
  if (file.bad()) fail(ErrorKind::io, "cannot read {}", path.string());
  return static_cast<uint32_t>(crc);
}

json entry_of(const fs::path& file) {
  return {{"bytes", fs::file_size(file)}, {"crc32", file_crc(file)}};
}

using Check = Store::Check;

// Reading anything else, such as a named pipe, might never end.
void check_regular(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!fs::exists(path)) fail(ErrorKind::input, "it is incomplete: {} is missing", name);
  if (!fs::is_regular_file(path)) fail(ErrorKind::input, "{} is no regular file", name);
}

void check_file(const fs::path& path, const json& expected, Check check) {
  const std::string name = path.filename().string();
  check_regular(path);
  const auto bytes = whole_number(kManifest, expected, "bytes");
  const auto sum = whole_number(kManifest, expected, "crc32", 0, std::numeric_limits<uint32_t>::max());
  if (fs::file_size(path) != static_cast<uintmax_t>(bytes))
    fail(ErrorKind::input, "{} has {} bytes, expected {}", name, fs::file_size(path), bytes);
  if (check == Check::sums && file_crc(path) != sum) fail(ErrorKind::input, "the checksum of {} does not match", name);
}

struct Manifest {
  Position position;
  int ranks = 1;
  std::map<std::string, double> evaluation;
};

int ranks_of(const json& manifest) {
  const auto& format = manifest.at("format");
  if (format != kWhole && format != kParts)
    fail(ErrorKind::input, "its format is {}, expected {} or {}",
         format.is_number() ? format.dump() : format.type_name(), kWhole, kParts);
  constexpr int kMostRanks = std::numeric_limits<int>::max();
  const int ranks = format == kWhole ? 1 : static_cast<int>(whole_number(kManifest, manifest, "ranks", 0, kMostRanks));
  if (format == kParts && ranks < 2) fail(ErrorKind::input, "its {} says that {} ranks wrote it", kManifest, ranks);
  return ranks;
}

void expect_object(const char* file, const std::string& what, const json& value) {
  if (!value.is_object())
    fail(ErrorKind::input, "its {} is damaged: {}: expected a JSON object, found {}", file, what, value.type_name());
}

// A checkpoint lists its own files and no other: what is read stays within the folder.
void check_files(const fs::path& folder, const json& files, int ranks, Check check) {
  size_t own = 0;
  const auto check_listed = [&](const std::string& name) {
    if (!files.contains(name)) fail(ErrorKind::input, "its {} does not list {}", kManifest, name);
    expect_object(kManifest, name, files.at(name));
    check_file(folder / name, files.at(name), check);
    ++own;
  };
  for (int rank = 0; rank < ranks; ++rank) {
    for (const char* content : {kWeights, kOptimizer}) check_listed(tensor_file(content, {rank, ranks}));
  }
  check_listed(kStateFile);
  if (files.contains(kRolloutFile) || fs::exists(folder / kRolloutFile)) check_listed(kRolloutFile);
  if (files.size() > own)
    fail(ErrorKind::input, "its {} lists {} files, {} of which are none of a checkpoint", kManifest, files.size(),
         files.size() - own);
}

Manifest check_manifest(const fs::path& folder, Check check) {
  try {
    check_regular(folder / kManifest);
    const json manifest = parse_json(kManifest, read_file(folder / kManifest));
    expect_object(kManifest, "its content", manifest);
    expect_object(kManifest, "files", manifest.at("files"));
    const int ranks = ranks_of(manifest);
    check_files(folder, manifest.at("files"), ranks, check);
    const Position position{whole_number(kManifest, manifest, "step"), whole_number(kManifest, manifest, "update")};
    if (position_of(folder).value_or(position) != position) {
      fail(ErrorKind::input, "its {} says step {}, update {}, which its name does not", kManifest, position.step,
           position.update);
    }
    return {position, ranks, manifest.value("evaluation", std::map<std::string, double>())};
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

TensorFiles open_tensors(const fs::path& folder, const char* content, int ranks) {
  if (ranks == 1) return TensorFiles::of_whole(folder / tensor_file(content, {}));
  std::vector<fs::path> files;
  files.reserve(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) files.push_back(folder / tensor_file(content, {rank, ranks}));
  return TensorFiles::of_parts(files);
}

// None where there is no such folder yet. Anything else in its place is not "no checkpoints".
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  try {
    if (!fs::exists(fs::symlink_status(folder))) return entries;
    if (!fs::is_directory(folder))
      fail(ErrorKind::io, "{}: expected the folder of the checkpoints, found something else", folder.string());
    for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::io, "cannot read the folder of the checkpoints {}: {}", folder.string(), error.code().message());
  }
  return entries;
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

std::vector<std::string> write_tensors(const fs::path& folder, const Share& share, const Content& content) {
  std::vector<std::string> names;
  for (const auto& [name, tensors] :
       {std::pair{kWeights, &content.weights}, std::pair{kOptimizer, &content.optimizer}}) {
    names.push_back(tensor_file(name, share));
    share.ranks == 1 ? write_whole(folder / names.back(), *tensors) : write_parts(folder / names.back(), *tensors);
  }
  return names;
}

std::vector<std::string> write_record(const fs::path& folder, const Record& record) {
  write_file_atomic(folder / kStateFile, exact_text(record.state));
  if (record.rollout.is_null()) return {kStateFile};
  const auto bytes = json::to_cbor(record.rollout);
  write_file_atomic(folder / kRolloutFile, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return {kStateFile, kRolloutFile};
}

// Gives a complete folder its name. Where a checkpoint has that name already, the two change places in one step, so
// that at every moment one of them is there; what was replaced is then removed.
void put_in_place(const fs::path& partial, const fs::path& target) {
  std::error_code ignored;
  // What is there may be a link that leads nowhere.
  if (!fs::exists(fs::symlink_status(target))) {
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

fs::path Store::partial_of(const Position& position) const {
  return folder_ / (folder_name(position) + kPartial);
}

// What a file system refuses, as an Error.
template <typename Body>
auto Store::writing(const Position& position, const Body& body) const {
  try {
    return body();
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::io, "cannot write the checkpoint {}: {}", (folder_ / folder_name(position)).string(),
         error.code().message());
  }
}

fs::path Store::save(const Position& position, const Content& content, const BeforeManifest& before_manifest) {
  try {
    begin(position);
    const auto files = write_share(position, {}, content, before_manifest);
    return commit(position, content.evaluation, 1, files);
  } catch (...) {
    abandon(position);
    throw;
  }
}

void Store::begin(const Position& position) const {
  ensure_writable_folder(folder_);
  abandon(position);
  writing(position, [&] { fs::create_directories(partial_of(position)); });
}

json Store::write_share(const Position& position, const Share& share, const Content& content,
                        const BeforeManifest& before_manifest) const {
  return writing(position, [&] {
    const auto partial = partial_of(position);
    auto names = write_tensors(partial, share, content);
    if (share.rank == 0) {
      for (auto& name : write_record(partial, content)) names.push_back(std::move(name));
    }
    if (before_manifest) before_manifest(partial);
    json files = json::object();
    for (const auto& name : names) {
      sync_path(partial / name);
      files[name] = entry_of(partial / name);
    }
    sync_path(partial);
    return files;
  });
}

fs::path Store::commit(const Position& position, const std::map<std::string, double>& evaluation, int ranks,
                       const json& files) const {
  auto target = folder_ / folder_name(position);
  const auto partial = partial_of(position);
  writing(position, [&] {
    for (const auto& [name, expected] : files.items()) {
      std::error_code error;
      const auto bytes = fs::file_size(partial / name, error);
      if (error || bytes != expected.at("bytes").get<uintmax_t>())
        fail(ErrorKind::io, "cannot write the checkpoint {}: {} is not there as it was written", target.string(), name);
    }
    json manifest = {{"format", ranks == 1 ? kWhole : kParts},
                     {"step", position.step},
                     {"update", position.update},
                     {"files", files}};
    if (ranks > 1) manifest["ranks"] = ranks;
    if (!evaluation.empty()) manifest["evaluation"] = evaluation;
    write_file_atomic(partial / kManifest, manifest.dump(2) + "\n");
    put_in_place(partial, target);
    sync_path(folder_);
  });
  remove_old(position);
  return target;
}

void Store::abandon(const Position& position) const {
  std::error_code ignored;
  fs::remove_all(partial_of(position), ignored);
}

std::vector<fs::path> Store::folders_newest_first() const {
  std::vector<std::pair<Position, fs::path>> found;
  for (const auto& path : entries_of(folder_)) {
    const auto position = position_of(path);
    std::error_code unknown;
    // A link that leads nowhere is a checkpoint that is to be named, not one that is not there.
    if (position && (fs::is_directory(path, unknown) || fs::is_symlink(path, unknown)))
      found.emplace_back(*position, path);
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

Store::Loaded Store::load(const fs::path& folder, Check check) {
  Loaded loaded;
  loaded.folder = folder;
  const auto manifest = check_manifest(folder, check);
  loaded.position = manifest.position;
  loaded.content.evaluation = manifest.evaluation;
  loaded.weights = open_tensors(folder, kWeights, manifest.ranks);
  loaded.optimizer = open_tensors(folder, kOptimizer, manifest.ranks);
  try {
    loaded.content.state = parse_json(kStateFile, read_file(folder / kStateFile));
    expect_object(kStateFile, "its content", loaded.content.state);
    if (fs::exists(folder / kRolloutFile))
      loaded.content.rollout = parse_cbor(kRolloutFile, read_file(folder / kRolloutFile));
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "its state is damaged: {}", parser_reason(error.what()));
  }
  return loaded;
}

std::optional<Store::Loaded> Store::load_newest(const std::function<void(const PassedOver&)>& on_passed_over) const {
  for (const auto& folder : folders_newest_first()) {
    if (folder.extension() == kPartial) {
      on_passed_over({folder, "it is incomplete: the run ended while it was written", true});
      continue;
    }
    try {
      return load(folder);
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

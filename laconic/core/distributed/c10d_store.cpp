#include "laconic/core/distributed/c10d_store.h"

#include <c10/util/Flags.h>

#include <filesystem>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"

C10_DECLARE_int(caffe2_log_level);

namespace laconic::distributed {
namespace {

namespace fs = std::filesystem;

// LibTorch's own messages name C++ functions and carry a backtrace.
template <typename Work>
auto translated(const std::string& what, const Work& work) {
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  try {
    return work();
  } catch (const c10::Error& error) {
    fail(ErrorKind::io, "{}: {}", what, first_line(error.what_without_backtrace()));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorKind::io, "{}: {}", what, first_line(error.what()));
  }
}

c10::intrusive_ptr<c10d::Store> open_tcp(const RankFacts& facts, std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(facts.port);
  options.isServer = facts.rank == 0;
  options.waitWorkers = false;  // the introduction counts them, and says who is missing
  options.timeout = timeout;
  if (facts.rank == 0 && facts.listen_descriptor >= 0) options.masterListenFd = facts.listen_descriptor;
  const std::string what =
      facts.rank == 0
          ? fmt::format("rank 0 of {}: cannot listen on port {}; is another run there already?", facts.world_size,
                        facts.port)
          : fmt::format("rank {} of {}: rank 0 does not answer on {}:{} within {}", facts.rank, facts.world_size,
                        facts.host, facts.port, human_duration(std::chrono::duration<double>(timeout).count()));
  return translated(what, [&]() -> c10::intrusive_ptr<c10d::Store> {
    return c10::make_intrusive<c10d::TCPStore>(facts.host, options);
  });
}

class StoreBlackboard final : public Blackboard {
 public:
  explicit StoreBlackboard(c10::intrusive_ptr<c10d::Store> store) : store_(std::move(store)) {}
  void post(int rank, const std::string& text) override { store_.set(key(rank), text); }
  std::string read(int rank) override { return store_.get(key(rank)).value_or(""); }

 private:
  static std::string key(int rank) { return fmt::format("board/{}", rank); }
  C10dStore store_;
};

class FolderBlackboard final : public Blackboard {
 public:
  explicit FolderBlackboard(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }
  void post(int rank, const std::string& text) override { write_file_atomic(file(rank), text); }
  // A file that is replaced while it is read may be an error on a network's file system: the next look sees the new
  // one.
  std::string read(int rank) override {
    try {
      return read_file(file(rank));
    } catch (const Error&) {
      return "";
    }
  }

  // What the rank of an earlier run has left here.
  void forget(int rank) const { fs::remove(file(rank)); }

 private:
  fs::path file(int rank) const { return folder_ / fmt::format("rank-{}", rank); }
  fs::path folder_;
};

fs::path board_folder(const RankFacts& facts) {
  return facts.file + ".ranks";
}

// The others read the board once this rank has introduced itself, which is later.
c10::intrusive_ptr<c10d::Store> open_file(const RankFacts& facts, std::chrono::milliseconds timeout) {
  return translated(fmt::format("rank {} of {}: cannot meet in {}", facts.rank, facts.world_size, facts.file),
                    [&]() -> c10::intrusive_ptr<c10d::Store> {
                      FolderBlackboard(board_folder(facts)).forget(facts.rank);
                      auto store = c10::make_intrusive<c10d::FileStore>(facts.file, facts.world_size);
                      store->setTimeout(timeout);
                      return store;
                    });
}

}  // namespace

c10::intrusive_ptr<c10d::Store> open_store(const RankFacts& facts, std::chrono::milliseconds timeout) {
  constexpr int kFatal = 3;
  FLAGS_caffe2_log_level = kFatal;  // c10d writes backtraces of what it throws, too, to standard error
  if (facts.file.empty()) return open_tcp(facts, timeout);
  return open_file(facts, timeout);
}

void C10dStore::set(const std::string& key, const std::string& text) {
  translated("the ranks' store", [&] { store_->set(key, std::vector<uint8_t>(text.begin(), text.end())); });
}

std::optional<std::string> C10dStore::get(const std::string& key) {
  return translated("the ranks' store", [&]() -> std::optional<std::string> {
    if (!store_->check({key})) return std::nullopt;
    const auto bytes = store_->get(key);
    return std::string(bytes.begin(), bytes.end());
  });
}

std::string C10dStore::set_if_absent(const std::string& key, const std::string& text) {
  return translated("the ranks' store", [&] {
    const auto bytes = store_->compareSet(key, std::vector<uint8_t>(), std::vector<uint8_t>(text.begin(), text.end()));
    return std::string(bytes.begin(), bytes.end());
  });
}

int64_t C10dStore::add(const std::string& key, int64_t amount) {
  return translated("the ranks' store", [&] { return store_->add(key, amount); });
}

std::unique_ptr<Blackboard> open_blackboard(const RankFacts& facts, const c10::intrusive_ptr<c10d::Store>& store) {
  if (!facts.file.empty()) return std::make_unique<FolderBlackboard>(board_folder(facts));
  return translated("the ranks' store",
                    [&]() -> std::unique_ptr<Blackboard> { return std::make_unique<StoreBlackboard>(store->clone()); });
}

}  // namespace laconic::distributed

#include "laconic/trainers/shared_folder.h"

#include <unistd.h>

#include <random>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/distributed/bytes.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "an unknown machine";
}

constexpr const char* kMark = ".seen-by-all-ranks-";

// Not that of anything else, be it of an earlier start of this run.
std::string mark_name() {
  std::random_device device;
  return fmt::format("{}{:08x}{:08x}", kMark, device(), device());
}

// Those of a start that was killed.
void remove_marks(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(kMark)) fs::remove(entry.path(), ignored);
  }
}

bool appears(distributed::Communicator& communicator, const fs::path& file, std::chrono::milliseconds patience) {
  std::error_code ignored;
  const double seconds = std::chrono::duration<double>(patience).count();
  for (const Timer timer; !fs::exists(file, ignored);) {
    if (timer.seconds() > seconds) return false;
    communicator.activity().progress();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// What this rank finds wrong with the folder, "" when nothing is.
std::string problem_here(distributed::Communicator& communicator, const fs::path& folder, const std::string& mark,
                         std::chrono::milliseconds patience) {
  if (!appears(communicator, folder / mark, patience))
    return fmt::format("does not see in {} what rank 0 has written there", fs::absolute(folder).string());
  const auto own = folder / fmt::format("{}-{}", mark, communicator.rank());
  std::string problem;
  try {
    write_file_atomic(own, "");
  } catch (const Error& error) {
    problem = fmt::format("cannot write what rank 0 could: {}", error.what());
  }
  std::error_code ignored;
  fs::remove(own, ignored);
  return problem;
}

}  // namespace

void check_shared_folder(distributed::Communicator& communicator, const fs::path& folder, const std::string& because,
                         std::chrono::milliseconds patience) {
  std::string mark;
  if (communicator.first()) {
    ensure_writable_folder(folder);
    remove_marks(folder);
    mark = mark_name();
    write_file_atomic(folder / mark, "");
  }
  mark = distributed::broadcast_bytes(communicator, mark, 0);
  const auto mine = communicator.first() ? "" : problem_here(communicator, folder, mark, patience);
  const auto problems = distributed::all_gather_bytes(communicator, mine);
  const auto hosts = distributed::all_gather_bytes(communicator, host_name());
  if (communicator.first()) {
    std::error_code ignored;
    fs::remove(folder / mark, ignored);
  }
  for (size_t rank = 1; rank < problems.size(); ++rank) {
    if (problems[rank].empty()) continue;
    fail(ErrorKind::usage, "rank {} on {} {} (rank 0 is on {}). {}", rank, hosts[rank], problems[rank], hosts[0],
         because);
  }
}

}  // namespace laconic::trainers

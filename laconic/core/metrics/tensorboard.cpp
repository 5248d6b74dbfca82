#include "laconic/core/metrics/tensorboard.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/metrics/event_encoding.h"

namespace laconic::metrics {
namespace {

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "host";
}

// TensorBoard recognises event files by "tfevents" and reads the files of a folder in the order of their names, so the
// name leads with the time; a number keeps two runs within one second apart.
std::filesystem::path new_event_file(const std::filesystem::path& folder, double now) {
  ensure_writable_folder(folder);
  for (int i = 0;; ++i) {
    auto path =
        folder / fmt::format("events.out.tfevents.{:010}.{:03}.{}.laconic", static_cast<int64_t>(now), i, host_name());
    if (!std::filesystem::exists(path)) return path;
  }
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, std::optional<int64_t> first_step,
                                     Clock clock)
    : clock_(clock ? std::move(clock) : seconds_since_epoch),
      file_(new_event_file(folder, clock_()), AppendFile::Mode::create) {
  file_.append(tfrecord(version_event(clock_())));
  if (first_step) file_.append(tfrecord(session_start_event(clock_(), *first_step)));
}

void TensorBoardWriter::write(const MetricRow& row) {
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, value] : row.entries()) {
    if (const auto number = row.number(name)) scalars.emplace_back(name, *number);
  }
  if (!scalars.empty()) file_.append(tfrecord(scalars_event(clock_(), row.step(), scalars)));
}

void TensorBoardWriter::write_text(int64_t step, std::string_view tag, std::string_view text) {
  file_.append(tfrecord(text_event(clock_(), step, tag, text)));
}

}  // namespace laconic::metrics

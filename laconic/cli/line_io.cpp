#include "laconic/cli/line_io.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "laconic/cli/problem.h"
#include "laconic/cli/streams.h"
#include "laconic/core/base/error.h"

namespace laconic::cli {
namespace {

constexpr size_t kBufferedBytes = 1 << 16;

bool is_standard(const std::string& path) {
  return path.empty() || path == "-";
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (std::filesystem::equivalent(a, b, ignored)) return true;
  return std::filesystem::weakly_canonical(a, ignored) == std::filesystem::weakly_canonical(b, ignored);
}

}  // namespace

LineSource::LineSource(const std::string& path, std::istream& standard_input)
    : stream_(&standard_input), name_("standard input") {
  if (is_standard(path)) return;
  name_ = path;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    fail(ErrorKind::usage, "--input {}: expected a file, found a folder", path);
  errno = 0;
  file_.open(path, std::ios::binary);
  if (!file_) fail(ErrorKind::usage, "--input {}: cannot open it: {}", path, std::strerror(errno));
  stream_ = &file_;
}

std::optional<std::string> LineSource::next() {
  std::string line;
  errno = 0;
  if (!std::getline(*stream_, line)) {
    if (stream_->bad()) fail(ErrorKind::io, "cannot read {}: {}", name_, std::strerror(errno != 0 ? errno : EIO));
    return std::nullopt;
  }
  if (++lines_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  return line;
}

LineSink::LineSink(const std::string& path, const std::string& input_path, std::ostream& standard_output)
    : stream_(&standard_output) {
  if (is_standard(path)) return;
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status))
    fail(ErrorKind::usage, "--output {}: expected a file, found a folder", path);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    errno = 0;
    device_.open(path, std::ios::binary);
    if (!device_) fail(ErrorKind::usage, "--output {}: cannot open it: {}", path, std::strerror(errno));
    stream_ = &device_;
    return;
  }
  if (!is_standard(input_path) && same_file(path, input_path))
    fail(ErrorKind::usage, "--output {}: it is the input; expected another file", path);
  // Through links to the file itself, which would else be replaced by a file.
  const auto target = std::filesystem::exists(status) ? std::filesystem::canonical(path) : std::filesystem::path(path);
  atomic_ = from_argument("--output", path, [&] { return std::make_unique<AtomicFile>(target); });
  stream_ = nullptr;
}

void LineSink::write(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() >= kBufferedBytes) flush();
}

void LineSink::flush() {
  if (atomic_)
    atomic_->write(buffer_);
  else
    write_checked(*stream_, buffer_);
  buffer_.clear();
}

void LineSink::finish() {
  flush();
  if (atomic_) atomic_->commit();
}

}  // namespace laconic::cli

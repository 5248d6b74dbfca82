#include "laconic/core/data/file_names.h"

#include <glob.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "laconic/core/base/error.h"
#include "laconic/core/data/byte_source.h"

namespace laconic::data {
namespace {

namespace fs = std::filesystem;

bool is_pattern(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos;
}

// The folders in front of the first part with a pattern.
fs::path fixed_part(const fs::path& path) {
  fs::path fixed;
  for (const auto& part : path.parent_path()) {
    if (is_pattern(part.string())) break;
    fixed /= part;
  }
  return fixed;
}

std::string label_of(const fs::path& file, const fs::path& fixed) {
  return without_compression(file.lexically_relative(fixed.empty() ? "." : fixed)).replace_extension().string();
}

struct FreeMatches {
  void operator()(glob_t* matches) const {
    ::globfree(matches);
    delete matches;
  }
};

}  // namespace

std::vector<SetFile> files_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    fail(ErrorKind::input, "cannot read {0}: it is a folder, expected a file, or several as {0}/*.parquet",
         path.string());
  }
  if (!is_pattern(path.string()) || fs::exists(path, ignored))
    return {{path, without_compression(path).stem().string()}};
  const std::unique_ptr<glob_t, FreeMatches> matches(new glob_t{});
  const int status = ::glob(path.c_str(), 0, nullptr, matches.get());
  if (status == GLOB_NOMATCH) fail(ErrorKind::input, "cannot read {}: no file has such a name", path.string());
  if (status != 0) fail(ErrorKind::io, "cannot look for files named {}", path.string());
  const fs::path fixed = fixed_part(path);
  std::vector<SetFile> files;
  files.reserve(matches->gl_pathc);
  for (size_t i = 0; i < matches->gl_pathc; ++i) {
    const fs::path file = matches->gl_pathv[i];
    files.push_back({file, label_of(file, fixed)});
  }
  // Not by the locale's order, which glob() uses.
  std::sort(files.begin(), files.end(), [](const SetFile& a, const SetFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace laconic::data

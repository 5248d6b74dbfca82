#include "laconic/core/data/parquet.h"

#include <dlfcn.h>

#include <system_error>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/parquet_plugin.h"

namespace laconic::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kLibrary = "liblaconic_parquet.so";
constexpr const char* kRemedy = "scripts/setup.sh --parquet fetches Arrow and builds it";

fs::path program_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

// "" where there is none.
fs::path plugin_path() {
  const auto folder = program_folder();
  std::error_code ignored;
  for (const auto& path : {folder / kLibrary, folder / ".." / "lib" / kLibrary}) {
    if (fs::exists(path, ignored)) return path;
  }
  return {};
}

const ParquetPlugin* open_plugin(const fs::path& path) {
  // Local: Arrow's names stay out of the way of LibTorch's.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    fail(ErrorKind::unsupported, "{} cannot be opened: {}; {}", path.string(), reason == nullptr ? "unknown" : reason,
         kRemedy);
  }
  const auto entry = reinterpret_cast<decltype(&laconic_parquet_plugin)>(::dlsym(library, "laconic_parquet_plugin"));
  const ParquetPlugin* plugin = entry == nullptr ? nullptr : entry();
  if (plugin == nullptr || plugin->version != kParquetPluginVersion)
    fail(ErrorKind::unsupported, "{} was built from other sources than this program; {}", path.string(), kRemedy);
  return plugin;
}

const ParquetPlugin& plugin_for(const fs::path& file) {
  static const ParquetPlugin* plugin = [&] {
    const auto path = plugin_path();
    if (path.empty())
      fail(ErrorKind::unsupported, "{}: this build reads no Parquet (there is no {} beside the program in {}); {}",
           file.string(), kLibrary, program_folder().string(), kRemedy);
    return open_plugin(path);
  }();
  return *plugin;
}

// Arrow tells a file that is not there and one that is not Parquet alike.
void check_file(const fs::path& path) {
  const auto bytes = open_bytes(path);
  char magic[4] = {};
  const size_t size = bytes->read(magic, sizeof magic);
  if (size == 0) fail(ErrorKind::input, "{}: the file is empty", path.string());
  const std::string_view found(magic, size);
  if (found != "PAR1" && found != "PARE")
    fail(ErrorKind::input, "{}: not a Parquet file: it does not begin with PAR1", path.string());
}

void check_success(const fs::path& path, const std::string& problem) {
  if (problem.empty()) return;
  // The reason is the first line; what may follow are Arrow's own places.
  fail(ErrorKind::input, "{}: cannot be read as Parquet: {}", path.string(),
       trim(problem.substr(0, problem.find('\n'))));
}

// Whether all texts of a value are UTF-8.
bool is_utf8(const Json& value) {
  if (value.is_string()) return first_invalid_utf8(value.get_ref<const std::string&>()) == std::string_view::npos;
  if (!value.is_structured()) return true;
  for (const auto& [key, item] : value.items()) {
    if (!is_utf8(item)) return false;
  }
  return true;
}

std::string text_problem(const Json& row) {
  for (const auto& [name, value] : row.items()) {
    if (!is_utf8(value)) return fmt::format("column `{}` is not valid UTF-8", name);
  }
  return "";
}

}  // namespace

bool parquet_is_built() {
  return !plugin_path().empty();
}

std::vector<std::string> parquet_columns(const fs::path& path) {
  check_file(path);
  std::vector<std::string> names;
  check_success(path, plugin_for(path).columns(path.string(), names));
  return names;
}

void read_parquet(const fs::path& path, const std::vector<std::string>& columns, const RecordSink& sink) {
  check_file(path);
  size_t index = 0;
  check_success(path, plugin_for(path).read(path.string(), columns, [&](Json&& row) {
    Record record{fmt::format("{}:[{}]", path.string(), index++), nullptr, text_problem(row), {}};
    if (record.reason.empty()) record.value = std::move(row);
    return sink(std::move(record));
  }));
}

}  // namespace laconic::data

#include "laconic/cuda/loader.h"

#include <dlfcn.h>

#include <ATen/Context.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/cuda/cuda_ops.h"

namespace laconic::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "liblaconic_cuda.so";

// The GPU of the process, which has one; -1: not chosen yet.
int& chosen_device() {
  static int index = -1;
  return index;
}

const Plugin* open_plugin(const fs::path& path) {
  // Global: LibTorch looks for its CUDA part among the names of the process.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    fail(ErrorKind::unsupported, "{} cannot be opened: {}", path.string(), reason == nullptr ? "unknown" : reason);
  }
  const auto entry = reinterpret_cast<decltype(&laconic_cuda_plugin)>(::dlsym(library, "laconic_cuda_plugin"));
  const Plugin* plugin = entry == nullptr ? nullptr : entry(kPluginVersion);
  if (plugin == nullptr || plugin->version != kPluginVersion || plugin->bytes != sizeof(Plugin))
    fail(ErrorKind::unsupported,
         "{} was built from other sources than this program (it has no interface of version {}): build both with "
         "scripts/setup.sh --cuda",
         path.string(), kPluginVersion);
  return plugin;
}

}  // namespace

fs::path plugin_path() {
  const auto folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const auto& path : {folder / kLibrary, folder / ".." / "lib" / kLibrary}) {
    if (fs::exists(path)) return path;
  }
  fail(ErrorKind::unsupported, "{} not found beside the program in {}: build with scripts/setup.sh --cuda", kLibrary,
       folder.string());
}

const Plugin& load_plugin(const fs::path& path) {
  static std::mutex mutex;
  static std::map<fs::path, const Plugin*> open;
  const std::lock_guard lock(mutex);
  const Plugin*& plugin = open[path];
  if (plugin == nullptr) plugin = open_plugin(path);
  return *plugin;
}

const Plugin& require_cuda() {
  const Plugin& plugin = load_plugin(plugin_path());
  if (const auto problem = plugin.device_problem(); !problem.empty())
    fail(ErrorKind::unsupported, "no CUDA device found ({})", problem);
  return plugin;
}

void use_device(int index) {
  if (index >= 0 && chosen_device() == index) return;
  LACONIC_CHECK(chosen_device() < 0, "this process computes on GPU {} already", chosen_device());
  const Plugin& plugin = require_cuda();
  if (const int count = plugin.device_count(); index < 0 || index >= count) {
    fail(ErrorKind::usage,
         "there is no GPU {}: {} can be seen, counted from 0 (CUDA_VISIBLE_DEVICES); each rank of a machine needs its "
         "own",
         index, count);
  }
  plugin.set_device(index);
  // Sums that cuBLAS cuts into parts are added up in f32, too.
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
  ops::install_device_ops(std::make_unique<CudaOps>(plugin));
  chosen_device() = index;
}

at::Device device() {
  if (chosen_device() < 0) use_device(0);
  return {at::kCUDA, static_cast<at::DeviceIndex>(chosen_device())};
}

int64_t free_memory() {
  int64_t free = 0, total = 0;
  require_cuda().device_memory(device().index(), free, total);
  return free;
}

}  // namespace laconic::cuda

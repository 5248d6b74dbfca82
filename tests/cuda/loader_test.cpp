// Opening the CUDA side on a machine without a GPU: what it says, and that it harms nothing.
#include <ATen/ATen.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "laconic/cuda/loader.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cuda {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Loader, SaysWhatIsMissing) {
  if (fs::exists(fs::read_symlink("/proc/self/exe").parent_path() / "liblaconic_cuda.so"))
    GTEST_SKIP() << "nothing is missing in a build with the CUDA side";
  const auto error = error_of([] { require_cuda(); });
  EXPECT_TRUE(contains(error, "liblaconic_cuda.so not found")) << error;
  EXPECT_TRUE(contains(error, "scripts/setup.sh --cuda")) << error;
}

TEST(Loader, RefusesOtherLibraries) {
  const TemporaryFolder folder;
  const auto text = folder.path() / "liblaconic_cuda.so";
  std::ofstream(text) << "no library";
  EXPECT_TRUE(contains(error_of([&] { load_plugin(text); }), "cannot be opened"));
  // A library without the entry.
  Dl_info info{};
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&::getenv), &info), 0);
  EXPECT_TRUE(contains(error_of([&] { load_plugin(info.dli_fname); }), "other sources"));
}

// With the plug-in that scripts/setup.sh --cuda builds, where that has been done.
class BuiltPlugin : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(LACONIC_CUDA_PLUGIN)) GTEST_SKIP() << LACONIC_CUDA_PLUGIN << " is not built";
    plugin_ = &load_plugin(LACONIC_CUDA_PLUGIN);
  }
  const Plugin* plugin_ = nullptr;
};

TEST_F(BuiltPlugin, OpensOnceAndIsComplete) {
  EXPECT_EQ(plugin_, &load_plugin(LACONIC_CUDA_PLUGIN));
  EXPECT_GE(plugin_->nccl_version(), 22000);
  const auto* entries = reinterpret_cast<void* const*>(&plugin_->device_problem);
  const auto* end = reinterpret_cast<void* const*>(plugin_ + 1);
  for (const auto* entry = entries; entry != end; ++entry) EXPECT_NE(*entry, nullptr) << "entry " << entry - entries;
}

TEST_F(BuiltPlugin, WithoutADeviceItSaysSo) {
  if (plugin_->device_count() > 0) GTEST_SKIP() << "there is a GPU: test_cuda_gpu tests it";
  EXPECT_TRUE(contains(plugin_->device_problem(), "driver")) << plugin_->device_problem();
  // Work on the CPU goes on, and tensors of the CPU are refused with a name.
  EXPECT_EQ(at::ones({3}).sum().item<float>(), 3.0f);
  const auto x = at::zeros({2, 4});
  EXPECT_TRUE(contains(error_of([&] { plugin_->swiglu(x, at::zeros({2, 2})); }), "swiglu: contiguous CUDA tensors"));
}

}  // namespace
}  // namespace laconic::cuda

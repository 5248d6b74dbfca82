// One CUDA graph per key. The graphs share a pool of memory: they are replayed one after the other.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <functional>
#include <map>
#include <memory>

#include "laconic/cuda/plugin/tensor_ops.h"

namespace laconic::cuda {
namespace {

constexpr int kPlainRuns = 2;

class Graphs final : public ops::StepGraphs {
 public:
  void run(int64_t key, const std::function<void()>& step) override {
    Entry& entry = entries_[key];
    if (entry.graph == nullptr && entry.runs++ < kPlainRuns) {
      step();
      return;
    }
    if (entry.graph == nullptr) entry.graph = capture(step);
    entry.graph->replay();
  }
  void clear() override { entries_.clear(); }

 private:
  struct Entry {
    int runs = 0;
    std::unique_ptr<at::cuda::CUDAGraph> graph;
  };

  // Capturing needs a stream other than the default one. Only this thread's calls are forbidden to wait meanwhile.
  std::unique_ptr<at::cuda::CUDAGraph> capture(const std::function<void()>& step) {
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    const auto outer = c10::cuda::getCurrentCUDAStream();
    outer.synchronize();
    const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool(/*isHighPriority=*/true));
    graph->capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      step();
    } catch (...) {
      try {
        graph->capture_end();  // the stream must leave the capture
      } catch (const c10::Error&) {
        graph->reset();  // what `step` threw says why
      }
      throw;
    }
    graph->capture_end();
    return graph;
  }

  at::cuda::MempoolId_t pool_ = at::cuda::graph_pool_handle();
  std::map<int64_t, Entry> entries_;
};

}  // namespace

std::unique_ptr<ops::StepGraphs> decode_graphs() {
  return std::make_unique<Graphs>();
}

}  // namespace laconic::cuda

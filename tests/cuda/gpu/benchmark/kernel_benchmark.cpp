// Times the kernels on a GPU at the shapes of a 1.5B model, beside the bandwidth of a copy on the same card: they move
// memory and little else, so that share is the figure that matters. Prints a Markdown table.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/cuda/kernels/kernels.h"
#include "tests/cuda/device.h"

namespace laconic::cuda {
namespace {

constexpr int kWarmUp = 5, kRuns = 11, kPerRun = 20;

// Qwen2.5-1.5B.
constexpr int64_t kHidden = 1536, kFfn = 8960, kVocab = 151936;
constexpr Heads kHeads{12, 2, 128};
constexpr int64_t kQkvWidth = (12 + 2 * 2) * 128;

void check(cudaError_t error) {
  if (error != cudaSuccess) fail(ErrorKind::io, "CUDA: {}", cudaGetErrorString(error));
}

// Median seconds of one call, and the spread between the quartiles relative to it.
struct Timing {
  double seconds = 0, spread = 0;
};

Timing time_of(const std::function<void()>& call) {
  cudaEvent_t begin = nullptr, end = nullptr;
  check(cudaEventCreate(&begin));
  check(cudaEventCreate(&end));
  for (int i = 0; i < kWarmUp; ++i) call();
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    check(cudaEventRecord(begin, nullptr));
    for (int i = 0; i < kPerRun; ++i) call();
    check(cudaEventRecord(end, nullptr));
    check(cudaEventSynchronize(end));
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end));
    seconds.push_back(static_cast<double>(milliseconds) / 1000 / kPerRun);
  }
  std::sort(seconds.begin(), seconds.end());
  static_cast<void>(cudaEventDestroy(begin));
  static_cast<void>(cudaEventDestroy(end));
  return {seconds[kRuns / 2], (seconds[kRuns * 3 / 4] - seconds[kRuns / 4]) / seconds[kRuns / 2]};
}

double copy_bandwidth() {
  constexpr size_t kBytes = size_t{1} << 30;
  void* a = device_allocate(kBytes);
  void* b = device_allocate(kBytes);
  const auto t = time_of([&] { check(cudaMemcpyAsync(b, a, kBytes, cudaMemcpyDeviceToDevice, nullptr)); });
  device_free(a, kBytes);
  device_free(b, kBytes);
  return 2.0 * static_cast<double>(kBytes) / t.seconds;
}

class Table {
 public:
  explicit Table(double bandwidth) : bandwidth_(bandwidth) {
    std::printf("Copy: %.2f TB/s.\n\n| kernel, bf16 | microseconds | spread | TB/s | share of copy |\n",
                bandwidth / 1e12);
    std::printf("|---|---|---|---|---|\n");
  }
  // bytes: read and written by one call at least.
  void row(const std::string& name, double bytes, const std::function<void()>& call) const {
    const auto t = time_of(call);
    const double rate = bytes / t.seconds;
    std::printf("| %s | %.1f | %.1f %% | %.2f | %.0f %% |\n", name.c_str(), t.seconds * 1e6, t.spread * 100,
                rate / 1e12, rate / bandwidth_ * 100);
  }

 private:
  double bandwidth_;
};

DeviceArray<Bf16> bf16s(int64_t n) {
  return DeviceArray<Bf16>(static_cast<size_t>(n), rounded<Bf16>(0.25f));
}

void time_rows(const Table& table, int64_t rows) {
  const auto name = [&](const char* kernel) { return std::string(kernel) + ", " + std::to_string(rows) + " rows"; };
  auto delta = bf16s(rows * kHidden), residual = bf16s(rows * kHidden), weight = bf16s(kHidden),
       y = bf16s(rows * kHidden);
  table.row(name("add_norm"), 2.0 * 4 * static_cast<double>(rows * kHidden), [&] {
    launch(AddNormArgs{.element = Element::bf16,
                       .delta = delta.data(),
                       .residual = residual.data(),
                       .weight = weight.data(),
                       .y = y.data(),
                       .epsilon = 1e-6f,
                       .rows = rows,
                       .width = kHidden},
           nullptr);
  });
  auto gate_up = bf16s(rows * 2 * kFfn), out = bf16s(rows * kFfn);
  table.row(name("swiglu"), 2.0 * 3 * static_cast<double>(rows * kFfn), [&] {
    launch(SwigluArgs{Element::bf16, gate_up.data(), out.data(), rows, kFfn}, nullptr);
  });
}

// A decoding step's attention: `rows` sequences of `context` tokens each.
void time_attention(const Table& table, int64_t rows, int64_t context) {
  const int64_t max_pages = ceil_div(context, kPageTokens), splits = ceil_div(context, kSplitTokens);
  std::vector<int32_t> pages(static_cast<size_t>(rows * max_pages));
  for (size_t i = 0; i < pages.size(); ++i) pages[i] = static_cast<int32_t>(i);
  const int64_t elements = rows * max_pages * kHeads.kv_heads * kHeads.dim * kPageTokens;
  auto keys = bf16s(elements), values = bf16s(elements), qkv = bf16s(rows * kQkvWidth),
       out = bf16s(rows * kHeads.heads * kHeads.dim);
  DeviceArray<int32_t> page_table(pages);
  DeviceArray<int64_t> positions(static_cast<size_t>(rows), context - 1);
  DeviceArray<float> rope(static_cast<size_t>(context * kHeads.dim), 0.5f);
  DeviceArray<float> partial(static_cast<size_t>(partial_values(rows, splits, kHeads)));
  const PagedCache cache{keys.data(), values.data(), page_table.data(), max_pages, nullptr, positions.data()};
  const auto name = [&](const char* kernel) {
    return std::string(kernel) + ", " + std::to_string(rows) + " x " + std::to_string(context) + " tokens";
  };
  table.row(name("rotate_append"), 2.0 * 2 * static_cast<double>(rows * kQkvWidth), [&] {
    launch(RotateAppendArgs{.element = Element::bf16,
                            .qkv = qkv.data(),
                            .table = rope.data(),
                            .cache = cache,
                            .shape = kHeads,
                            .rows = rows},
           nullptr);
  });
  table.row(name("paged_decode"), 2.0 * 2 * static_cast<double>(rows * context * kHeads.kv_heads * kHeads.dim), [&] {
    launch(PagedDecodeArgs{.element = Element::bf16,
                           .q = qkv.data(),
                           .q_stride = kQkvWidth,
                           .cache = cache,
                           .shape = kHeads,
                           .scale = 0.088f,
                           .partial = partial.data(),
                           .splits = splits,
                           .out = out.data(),
                           .rows = rows},
           nullptr);
  });
}

std::vector<Bf16> spread_logits(int64_t n) {
  std::vector<Bf16> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(rounded<Bf16>(4.0f * std::sin(static_cast<float>(i % 9973))));
  return values;
}

void time_logits(const Table& table, int64_t rows) {
  DeviceArray<Bf16> logits(spread_logits(rows * kVocab));
  DeviceArray<int64_t> targets(static_cast<size_t>(rows), 5), ids(static_cast<size_t>(rows));
  DeviceArray<float> logprob(static_cast<size_t>(rows)), largest(static_cast<size_t>(rows)),
      log_sum(static_cast<size_t>(rows)), entropy(static_cast<size_t>(rows));
  DeviceArray<uint8_t> finite(static_cast<size_t>(rows));
  DeviceArray<uint32_t> positions(static_cast<size_t>(rows), 3);
  const double bytes = 2.0 * static_cast<double>(rows * kVocab);
  const std::string tail = ", " + std::to_string(rows) + " x 151936";
  table.row("logit_score" + tail, bytes, [&] {
    launch(LogitScoreArgs{.element = Element::bf16,
                          .logits = logits.data(),
                          .targets = targets.data(),
                          .logprob = logprob.data(),
                          .largest = largest.data(),
                          .log_sum = log_sum.data(),
                          .entropy = entropy.data(),
                          .rows = rows,
                          .vocab = kVocab},
           nullptr);
  });
  const auto time_sample = [&](const std::string& name, const SampleRow& row) {
    DeviceArray<SampleRow> params(static_cast<size_t>(rows), row);
    table.row(name + tail, bytes, [&] {
      launch(SampleArgs{.element = Element::bf16,
                        .logits = logits.data(),
                        .params = params.data(),
                        .positions = positions.data(),
                        .ids = ids.data(),
                        .logprob = logprob.data(),
                        .finite = finite.data(),
                        .rows = rows,
                        .vocab = kVocab},
             nullptr);
    });
  };
  time_sample("sample, plain", {});
  SampleRow truncated;
  truncated.top_p = 0.95;
  time_sample("sample, top-p 0.95", truncated);
  truncated.top_k = 50;
  time_sample("sample, top-k 50 and top-p 0.95", truncated);
}

void run() {
  const Table table(copy_bandwidth());
  for (const int64_t rows : {64, 256, 8192}) time_rows(table, rows);
  time_attention(table, 256, 2048);
  time_attention(table, 64, 2048);
  time_attention(table, 1, 16384);
  for (const int64_t rows : {64, 256}) time_logits(table, rows);
}

}  // namespace
}  // namespace laconic::cuda

int main() {
  try {
    laconic::cuda::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

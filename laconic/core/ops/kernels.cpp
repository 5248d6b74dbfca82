#include "laconic/core/ops/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/rng.h"

namespace laconic::ops {
namespace {

// A quick comparison with the baseline: a table that computes wrong numbers on this processor must never be used.
bool agrees_with_baseline(const Kernels& k) {
  constexpr int64_t kM = 5, kN = 23, kK = 77;
  Rng rng(DrawPurpose::init_weights, {12345});
  std::vector<float> x(kM * kK), w(kN * kK), expected(kM * kN), found(kM * kN);
  for (float& v : x) v = static_cast<float>(rng.normal());
  for (float& v : w) v = static_cast<float>(rng.normal());
  const auto worst = [&] {
    float difference = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const float d = std::abs(expected[i] - found[i]);
      difference = d <= difference ? difference : d;  // NaN counts as different
    }
    return difference;
  };
  const auto run = [&](const Kernels& kernels, std::vector<float>& out) {
    LinearArgs linear{.x = x.data(), .ldx = kK, .w = w.data(), .y = out.data(), .ldy = kN, .m = kM, .n = kN, .k = kK};
    kernels.linear(linear);
    SmallGemmArgs small{.a = x.data(),
                        .a_row = kK,
                        .a_step = 1,
                        .b = w.data(),
                        .ldb = kN,
                        .c = out.data(),
                        .ldc = kN,
                        .m = kM,
                        .n = kN,
                        .k = 17,
                        .add = true};
    kernels.small_gemm(small);
    std::vector<float> row(64);
    std::copy_n(x.begin(), 37, row.begin());
    float top = 0, total = 1;
    kernels.softmax_row(row.data(), 37, 48, 0.3f, &top, &total);
    for (int64_t i = 0; i < kN; ++i) out[static_cast<size_t>(i)] += row[static_cast<size_t>(i)] / total;
    const auto statistics = kernels.logit_statistics(x.data(), kK, 0.7f, true);
    out[0] += statistics.largest + statistics.log_sum + statistics.entropy;
  };
  run(*baseline_kernels(), expected);
  run(k, found);
  return worst() < 1e-4f;
}

const Kernels* choose() {
  const char* wanted_text = std::getenv("LACONIC_ISA");
  const std::string_view wanted = wanted_text == nullptr ? "" : wanted_text;
  if (!wanted.empty() && wanted != "baseline" && wanted != "avx2" && wanted != "avx512") {
    fail(ErrorKind::usage, "LACONIC_ISA: expected baseline, avx2 or avx512, found {}", wanted);
  }
  for (const Kernels* table : {avx512_kernels(), avx2_kernels()}) {
    if (table == nullptr || wanted == "baseline" || (wanted == "avx2" && table->name != wanted)) continue;
    if (agrees_with_baseline(*table)) return table;
    log_warning("the {} kernels compute wrong numbers on this processor and are not used", table->name);
  }
  return baseline_kernels();
}

}  // namespace

const Kernels& kernels() {
  static const Kernels* chosen = choose();
  return *chosen;
}

}  // namespace laconic::ops

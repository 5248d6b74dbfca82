#include "laconic/trainers/machine_speed.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>

#include "laconic/core/base/timer.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::trainers {

MachineSpeed measure_machine_speed() {
  const at::NoGradGuard no_grad;
  MachineSpeed speed;
  // Our own product and LibTorch's: the better one is what the machine can do.
  const auto x = at::randn({1024, 1024}), w = at::randn({2048, 1024});
  auto y = at::empty({1024, 2048}), dx = at::zeros({1024, 1024});
  const double work = 2.0 * 1024 * 2048 * 1024;
  for (int i = 0; i < 6; ++i) {
    Timer timer;
    ops::linear_into(x, w, {}, y);
    speed.flops = std::max(speed.flops, work / timer.lap());
    ops::add_linear_input_gradient(y, w, dx);
    speed.flops = std::max(speed.flops, work / timer.lap());
  }
  const int64_t floats = int64_t{1} << 26;  // 256 MiB, beyond any cache
  const auto memory = at::ones({floats});
  const float* data = memory.const_data_ptr<float>();
  std::atomic<int> sink{0};  // keeps the reads
  for (int i = 0; i < 4; ++i) {
    const Timer timer;
    ops::parallel_pieces(floats / 2, 1 << 18, [&](int64_t begin, int64_t end) {
      if (ops::kernels().dot(data + begin, data + floats / 2 + begin, end - begin) < 0) ++sink;
    });
    speed.bandwidth = std::max(speed.bandwidth, 4.0 * static_cast<double>(floats) / timer.seconds());
  }
  return speed;
}

}  // namespace laconic::trainers

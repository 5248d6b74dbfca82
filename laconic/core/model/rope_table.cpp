#include "laconic/core/model/rope_table.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "laconic/core/ops/parallel.h"

namespace laconic::model {
namespace {

// Llama 3.1: long waves are slowed down by `factor`, short ones stay, those between are blended.
float llama3_frequency(float frequency, const RopeScaling& s) {
  const double wavelength = 2.0 * std::numbers::pi / static_cast<double>(frequency);
  const auto original = static_cast<double>(s.original_max_positions);
  if (wavelength > original / s.low_frequency_factor)
    return static_cast<float>(static_cast<double>(frequency) / s.factor);
  if (wavelength < original / s.high_frequency_factor) return frequency;
  const double smooth =
      (original / wavelength - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
  return static_cast<float>((1.0 - smooth) * static_cast<double>(frequency) / s.factor +
                            smooth * static_cast<double>(frequency));
}

std::vector<float> frequencies(const ModelConfig& c) {
  std::vector<float> result;
  for (int64_t i = 0; i < c.head_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(c.head_dim);
    const auto frequency = static_cast<float>(1.0 / std::pow(c.rope_theta, exponent));
    switch (c.rope_scaling.kind) {
      case RopeScaling::Kind::none:
        result.push_back(frequency);
        break;
      case RopeScaling::Kind::linear:
        result.push_back(static_cast<float>(static_cast<double>(frequency) / c.rope_scaling.factor));
        break;
      case RopeScaling::Kind::llama3:
        result.push_back(llama3_frequency(frequency, c.rope_scaling));
        break;
    }
  }
  return result;
}

}  // namespace

at::Tensor make_rope_table(const ModelConfig& config) {
  const auto inverse = frequencies(config);
  const int64_t half = config.head_dim / 2;
  auto table = at::empty({config.max_positions, config.head_dim}, at::kFloat);
  float* out = table.mutable_data_ptr<float>();
  ops::parallel_pieces(config.max_positions, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t position = begin; position < end; ++position) {
      float* row = out + position * config.head_dim;
      for (int64_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(position) * inverse[static_cast<size_t>(i)];
        row[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
        row[half + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
      }
    }
  });
  return table;
}

}  // namespace laconic::model

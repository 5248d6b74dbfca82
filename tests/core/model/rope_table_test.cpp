#include "laconic/core/model/rope_table.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/support/tiny_model.h"

namespace laconic::model {
namespace {

// Compares the table with the cosines and sines of position * frequency(i). Angles are rounded to f32 as the reference
// implementation does, so far positions are compared loosely.
template <typename Frequency>
void expect_table(const ModelConfig& config, Frequency&& frequency) {
  const auto table = make_rope_table(config);
  ASSERT_EQ(table.sizes(), (std::vector<int64_t>{config.max_positions, config.head_dim}));
  for (const int64_t position : {int64_t{0}, int64_t{1}, int64_t{7}, config.max_positions - 1}) {
    for (int64_t i = 0; i < config.head_dim / 2; ++i) {
      const double angle = static_cast<double>(position) * frequency(i);
      const double tolerance = 2e-7 * (1 + angle);
      EXPECT_NEAR(table[position][i].item<double>(), std::cos(angle), tolerance) << position << " " << i;
      EXPECT_NEAR(table[position][config.head_dim / 2 + i].item<double>(), std::sin(angle), tolerance);
    }
  }
}

ModelConfig config_with(RopeScaling scaling) {
  auto config = tiny_config(Architecture::llama);
  config.head_dim = 64;
  config.max_positions = 5000;  // more than one piece of work
  config.rope_theta = 5e5;
  config.rope_scaling = scaling;
  return config;
}

double plain(const ModelConfig& c, int64_t i) {
  return std::pow(c.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(c.head_dim));
}

TEST(RopeTable, Plain) {
  const auto config = config_with({});
  expect_table(config, [&](int64_t i) { return plain(config, i); });
}

TEST(RopeTable, Linear) {
  const auto config = config_with({RopeScaling::Kind::linear, 4.0});
  expect_table(config, [&](int64_t i) { return plain(config, i) / 4.0; });
}

// Llama 3.1: wavelengths beyond original/low are divided by the factor, those below original/high stay, and those
// between are blended linearly in original/wavelength.
TEST(RopeTable, Llama3) {
  for (const double factor : {8.0, 32.0}) {
    const auto config = config_with({RopeScaling::Kind::llama3, factor, 1.0, 4.0, 1024});
    int kinds[3] = {0, 0, 0};
    expect_table(config, [&](int64_t i) {
      const double f = plain(config, i), turns = 1024.0 * f / (2 * std::numbers::pi);
      const double share = std::clamp((turns - 1.0) / (4.0 - 1.0), 0.0, 1.0);
      ++kinds[share == 0 ? 0 : share == 1 ? 2 : 1];
      return share * f + (1 - share) * f / factor;
    });
    for (const int count : kinds) EXPECT_GT(count, 0) << "each of the three rules occurs";
  }
}

}  // namespace
}  // namespace laconic::model

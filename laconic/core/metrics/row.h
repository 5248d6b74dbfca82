// The values of one training step, in the order in which they were set.
//
// Names are slash paths of lower-case words: "reward/mean", "completion/mean_tokens", "loss/policy". A name whose first
// part is "time" or "throughput" holds a wall-clock figure, which differs between two runs of the same seed; the run
// folder keeps those apart from everything that must be reproducible byte for byte (see is_wall_clock).
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace laconic::metrics {

using MetricValue = std::variant<double, int64_t, std::string>;

class MetricRow {
 public:
  explicit MetricRow(int64_t step) : step_(step) {}

  int64_t step() const { return step_; }

  // Sets a value, in the place of an earlier one of the same name. The name must be a slash path as above (checked),
  // and must not be "step".
  template <std::floating_point T>
  void set(std::string_view name, T value) {
    put(name, static_cast<double>(value));
  }
  template <std::integral T>
  void set(std::string_view name, T value) {
    put(name, static_cast<int64_t>(value));
  }
  void set(std::string_view name, std::string value) { put(name, std::move(value)); }
  void set(std::string_view name, const char* value) { put(name, std::string(value)); }

  const MetricValue* find(std::string_view name) const;
  // The value as a number; nothing when it is absent or a string.
  std::optional<double> number(std::string_view name) const;
  const std::vector<std::pair<std::string, MetricValue>>& entries() const { return entries_; }

 private:
  void put(std::string_view name, MetricValue value);

  int64_t step_;
  std::vector<std::pair<std::string, MetricValue>> entries_;
};

// True for "time/..." and "throughput/...".
bool is_wall_clock(std::string_view name);

}  // namespace laconic::metrics

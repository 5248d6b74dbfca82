#include "laconic/core/metrics/row.h"

#include <algorithm>

#include "laconic/core/base/error.h"

namespace laconic::metrics {
namespace {

bool is_slash_path(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.back() == '/' || name.find("//") != std::string_view::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' || c == '@' || c == '-';
  });
}

}  // namespace

const MetricValue* MetricRow::find(std::string_view name) const {
  for (const auto& [key, value] : entries_) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<double> MetricRow::number(std::string_view name) const {
  const MetricValue* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(value)) return *real;
  if (const auto* whole = std::get_if<int64_t>(value)) return static_cast<double>(*whole);
  return std::nullopt;
}

void MetricRow::put(std::string_view name, MetricValue value) {
  LACONIC_CHECK(is_slash_path(name) && name != "step",
                "`{}` is not a metric name (lower-case slash path, not \"step\")", name);
  for (auto& [key, old] : entries_) {
    if (key != name) continue;
    old = std::move(value);
    return;
  }
  entries_.emplace_back(std::string(name), std::move(value));
}

bool is_wall_clock(std::string_view name) {
  return name.starts_with("time/") || name.starts_with("throughput/");
}

}  // namespace laconic::metrics

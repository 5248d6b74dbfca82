#include "laconic/core/metrics/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "laconic/core/base/error.h"

namespace laconic::metrics {
namespace {

constexpr const char* kMinus = "\u2212";

// A true minus sign, and exponents without a plus, leading zeros or nothing to say: "-1.5e-07" -> "−1.5e−7".
std::string typeset(std::string_view text) {
  const size_t e = text.find('e');
  std::string result;
  for (const char c : text.substr(0, e)) c == '-' ? result += kMinus : result += c;
  if (e == std::string_view::npos) return result;
  std::string_view exponent = text.substr(e + 1);
  const bool negative = exponent.starts_with('-');
  exponent.remove_prefix(std::min(exponent.find_first_not_of("+-0"), exponent.size()));
  if (exponent.empty()) return result;
  return result + (negative ? fmt::format("e{}", kMinus) : "e") + std::string(exponent);
}

struct Unit {
  double size;
  const char* suffix;
};

Unit unit_of(double magnitude, Figure figure) {
  if (figure == Figure::percent) return {0.01, " %"};
  if (figure == Figure::number || magnitude < 1e3) return {1.0, ""};
  if (magnitude < 1e6) return {1e3, "k"};
  if (magnitude < 1e9) return {1e6, "M"};
  return {1e9, "B"};
}

// The largest of 1, 2, 5 times a power of ten that gives at least `count` intervals, roughly.
double tick_step(double range, int count) {
  const double raw = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  return power * (lead < 1.5 ? 1.0 : lead < 3.5 ? 2.0 : lead < 7.5 ? 5.0 : 10.0);
}

std::string tick_label(double value, double step, double magnitude, Figure figure) {
  const Unit unit = unit_of(magnitude, figure);
  const double scaled = magnitude / unit.size;
  const double fine = step / unit.size;
  // Exponents where plain digits would be zeros for the most part.
  if (scaled >= 1e6 || (fine < 1e-4 && scaled < 1e-2)) {
    if (value == 0.0) return "0";
    const int digits = static_cast<int>(std::floor(std::log10(std::fabs(value))) - std::floor(std::log10(step) + 1e-9));
    return fmt::format("{}{}", typeset(fmt::format("{:.{}e}", value / unit.size, std::clamp(digits, 0, 9))),
                       unit.suffix);
  }
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(fine) + 1e-9)));
  const bool bare = value == 0.0 && figure == Figure::count;
  return fmt::format("{}{}", typeset(fmt::format("{:.{}f}", value / unit.size, decimals)), bare ? "" : unit.suffix);
}

std::string power_label(int exponent) {
  constexpr std::array<const char*, 10> kDigits = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                                   "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  if (exponent >= -2 && exponent <= 3) return fmt::format("{:g}", std::pow(10.0, exponent));
  std::string label = exponent < 0 ? "10\u207b" : "10";
  for (const char digit : std::to_string(std::abs(exponent))) label += kDigits[static_cast<size_t>(digit - '0')];
  return label;
}

Axis log_axis(double low, double high, int count) {
  Axis axis;
  axis.logarithmic = true;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  axis.low = std::pow(10.0, first);
  axis.high = std::pow(10.0, last);
  const int stride = std::max(1, (last - first + count - 1) / count);
  for (int exponent = first; exponent <= last; exponent += stride) {
    axis.ticks.push_back({std::pow(10.0, exponent), power_label(exponent)});
  }
  return axis;
}

// 12345.6 -> "12,346".
std::string grouped(double value) {
  const auto whole = static_cast<int64_t>(std::llround(std::fabs(value)));
  return fmt::format("{}{},{:03}", value < 0.0 ? kMinus : "", whole / 1000, whole % 1000);
}

// Bounds with a width, which show what is worth showing.
void widen(double& low, double& high, const AxisOptions& options) {
  const bool share = options.figure == Figure::percent && low >= 0.0 && high <= 1.0;
  const double magnitude = std::max(std::fabs(low), std::fabs(high));
  const bool flat = high - low <= 1e-9 * magnitude;  // below the resolution of its values a range is no range
  if (flat && options.whole) {
    low -= 1.0;
    high += 1.0;
  } else if (flat) {
    low -= 0.1 * magnitude;
    high += magnitude > 0.0 ? 0.1 * magnitude : 1.0;
  }
  if (share) high = std::min(high, 1.0);
  if (options.exact) return;
  if (low > 0.0 && low < 0.5 * high) low = 0.0;
  if (high < 0.0 && high > 0.5 * low) high = 0.0;
}

}  // namespace

double Axis::place(double value) const {
  double share = (value - low) / (high - low);
  if (logarithmic) share = value > 0.0 ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : 0.0;
  return std::clamp(share, 0.0, 1.0);
}

Axis make_axis(double low, double high, const AxisOptions& options) {
  LACONIC_CHECK(low <= high && std::fabs(low) <= 1e300 && std::fabs(high) <= 1e300, "bad axis {} .. {}", low, high);
  if (options.logarithmic && low > 1e-300 && high / low >= 30.0) return log_axis(low, high, options.ticks);
  const bool single = options.whole && low == high;
  const double middle = low;
  widen(low, high, options);
  double step = tick_step(high - low, options.ticks - 1);
  if (options.whole) step = std::max(1.0, step);
  Axis axis;
  axis.low = options.exact ? low : step * std::floor(low / step + 1e-6);
  axis.high = options.exact ? high : step * std::ceil(high / step - 1e-6);
  const double bound = std::max(std::fabs(axis.low), std::fabs(axis.high));
  if (single) {
    axis.ticks.push_back({middle, tick_label(middle, step, bound, options.figure)});
    return axis;
  }
  for (double i = std::ceil(axis.low / step - 1e-6); i * step <= axis.high + 1e-6 * step; ++i) {
    const double value = i == 0.0 ? 0.0 : i * step;
    axis.ticks.push_back({value, tick_label(value, step, bound, options.figure)});
  }
  return axis;
}

std::string show_figure(double value, Figure figure) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
  if (value == 0.0) return figure == Figure::percent ? "0.0 %" : "0";
  if (figure == Figure::count && std::fabs(value) >= 999.5 && std::fabs(value) < 99999.5) return grouped(value);
  const Unit unit = unit_of(std::fabs(value), figure);
  const double scaled = value / unit.size;
  const double size = std::fabs(scaled);
  std::string text;
  if (figure == Figure::percent) {
    text = size < 1e6 ? fmt::format("{:.1f}", scaled) : fmt::format("{:.1e}", scaled);
  } else if (size >= 1e-3 && size < 1e5) {
    const int decimals = std::max(0, 2 - static_cast<int>(std::floor(std::log10(size))));
    text = fmt::format("{:.{}f}", scaled, decimals);
  } else {
    text = fmt::format("{:.1e}", scaled);
  }
  return typeset(text) + unit.suffix;
}

}  // namespace laconic::metrics

#include "laconic/rewards/real_set.h"

#include <algorithm>
#include <limits>

#include "laconic/rewards/numeric.h"

namespace laconic::rewards {
namespace {

constexpr size_t kMaxPieces = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Pieces = std::vector<Interval>;

bool is_infinite(const Expression& e) {
  if (e.is_constant("infinity")) return true;
  return e.is(Kind::negate) && e.args[0].is_constant("infinity");
}

std::optional<double> end_value(const Expression& e) {
  if (e.is_constant("infinity")) return kInfinity;
  if (is_infinite(e)) return -kInfinity;
  return real_value(e);
}

Expression infinity(bool negative) {
  Expression e = make(Kind::constant, "infinity");
  if (!negative) return e;
  return make_node(Kind::negate, std::move(e));
}

std::optional<Pieces> between(Expression low, bool low_closed, Expression high, bool high_closed) {
  const auto a = end_value(low), b = end_value(high);
  if (!a || !b) return std::nullopt;
  if (*a > *b || (*a == *b && !(low_closed && high_closed))) return Pieces{};
  return Pieces{
      {std::move(low), std::move(high), low_closed && *a != -kInfinity, high_closed && *b != kInfinity, *a, *b}};
}

void normalise(Pieces& pieces) {
  std::sort(pieces.begin(), pieces.end(), [](const Interval& a, const Interval& b) {
    return std::pair(a.low_value, !a.low_closed) < std::pair(b.low_value, !b.low_closed);
  });
  Pieces merged;
  for (auto& piece : pieces) {
    const bool joins =
        !merged.empty() &&
        (piece.low_value < merged.back().high_value ||
         (piece.low_value == merged.back().high_value && (piece.low_closed || merged.back().high_closed)));
    if (!joins) {
      merged.push_back(std::move(piece));
      continue;
    }
    Interval& last = merged.back();
    if (piece.high_value > last.high_value) {
      last.high = std::move(piece.high);
      last.high_value = piece.high_value;
      last.high_closed = piece.high_closed;
    } else if (piece.high_value == last.high_value) {
      last.high_closed = last.high_closed || piece.high_closed;
    }
  }
  pieces = std::move(merged);
}

Pieces intersect(const Pieces& a, const Pieces& b) {
  Pieces result;
  for (const auto& x : a) {
    for (const auto& y : b) {
      Interval both = x;
      if (y.low_value > x.low_value) {
        both.low = y.low;
        both.low_value = y.low_value;
        both.low_closed = y.low_closed;
      } else if (y.low_value == x.low_value) {
        both.low_closed = x.low_closed && y.low_closed;
      }
      if (y.high_value < x.high_value) {
        both.high = y.high;
        both.high_value = y.high_value;
        both.high_closed = y.high_closed;
      } else if (y.high_value == x.high_value) {
        both.high_closed = x.high_closed && y.high_closed;
      }
      const bool point = both.low_value == both.high_value && both.low_closed && both.high_closed;
      if (both.low_value < both.high_value || point) result.push_back(std::move(both));
    }
  }
  return result;
}

Pieces complement(const Pieces& pieces) {
  Pieces result;
  Expression low = infinity(true);
  double low_value = -kInfinity;
  bool low_closed = false;
  for (const auto& piece : pieces) {
    if (piece.low_value > low_value || (piece.low_value == low_value && low_closed && !piece.low_closed))
      result.push_back({low, piece.low, low_closed, !piece.low_closed, low_value, piece.low_value});
    low = piece.high;
    low_value = piece.high_value;
    low_closed = !piece.high_closed;
  }
  if (low_value < kInfinity) result.push_back({low, infinity(false), low_closed, false, low_value, kInfinity});
  return result;
}

// x < a, a < x, x = a, x != a: the x for which one sign holds between the variable and a value.
std::optional<Pieces> half_line(char sign, const Expression& bound, bool variable_left) {
  if (!variable_left) {
    const std::string_view from = "<>lg", to = "><gl";
    if (const size_t at = from.find(sign); at != std::string_view::npos) sign = to[at];
  }
  switch (sign) {
    case '<':
    case 'l':
      return between(infinity(true), false, bound, sign == 'l');
    case '>':
    case 'g':
      return between(bound, sign == 'g', infinity(false), false);
    case '=':
      return between(bound, true, bound, true);
    case '!': {
      auto point = between(bound, true, bound, true);
      if (!point) return std::nullopt;
      return complement(*point);
    }
    default:
      return std::nullopt;
  }
}

std::optional<Pieces> relation_set(const Expression& e) {
  if (e.name == "@" && e.args[0].is(Kind::symbol)) return real_set(e.args[1]);
  std::optional<Pieces> total;
  for (size_t i = 0; i < e.name.size(); ++i) {
    const bool left = e.args[i].is(Kind::symbol), right = e.args[i + 1].is(Kind::symbol);
    if (left == right) return std::nullopt;
    auto part = half_line(e.name[i], left ? e.args[i + 1] : e.args[i], left);
    if (!part) return std::nullopt;
    total = total ? intersect(*total, *part) : std::move(*part);
  }
  return total;
}

std::optional<Pieces> sequence_set(const Expression& e) {
  if (e.name == "{}" || e.name.empty()) {
    Pieces points;
    for (const auto& arg : e.args) {
      auto point = between(arg, true, arg, true);
      if (!point || e.name.empty()) return std::nullopt;
      points.insert(points.end(), point->begin(), point->end());
    }
    return points;
  }
  if (e.args.size() != 2 || e.name == ":") return std::nullopt;
  return between(e.args[0], e.name[0] == '[', e.args[1], e.name[1] == ']');
}

std::optional<Pieces> combined_set(const Expression& e) {
  std::optional<Pieces> total;
  for (const auto& arg : e.args) {
    auto part = real_set(arg);
    if (!part || part->size() > kMaxPieces) return std::nullopt;
    if (!total) {
      total = std::move(part);
    } else if (e.is(Kind::intersection)) {
      total = intersect(*total, *part);
    } else if (e.is(Kind::difference)) {
      total = intersect(*total, complement(*part));
    } else {
      total->insert(total->end(), part->begin(), part->end());
    }
    if (total->size() > kMaxPieces) return std::nullopt;
    normalise(*total);
  }
  return total;
}

}  // namespace

bool is_set_notation(const Expression& e) {
  if (e.is(Kind::set_union) || e.is(Kind::intersection) || e.is(Kind::difference)) return true;
  return e.is(Kind::relation) && e.name.find_first_of("<>lg!@") != std::string::npos;
}

std::set<std::string> free_variables(const Expression& set) {
  std::set<std::string> names;
  if (set.bound) return names;
  if (set.is(Kind::relation)) names = symbols_of(set);
  if (set.is(Kind::set_union) || set.is(Kind::intersection) || set.is(Kind::difference)) {
    for (const auto& part : set.args) names.merge(free_variables(part));
  }
  names.erase("R");
  return names;
}

std::optional<std::vector<Interval>> real_set(const Expression& e) {
  if (free_variables(e).size() > 1) return std::nullopt;
  std::optional<Pieces> pieces;
  if (e.is(Kind::relation)) pieces = relation_set(e);
  if (e.is(Kind::sequence)) pieces = sequence_set(e);
  if (e.is(Kind::set_union) || e.is(Kind::intersection) || e.is(Kind::difference)) pieces = combined_set(e);
  if (e.is(Kind::symbol) && e.name == "R") pieces = between(infinity(true), false, infinity(false), false);
  if (pieces) normalise(*pieces);
  return pieces;
}

bool same_real_set(const std::vector<Interval>& a, const std::vector<Interval>& b, const SameValue& same) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].low_closed != b[i].low_closed || a[i].high_closed != b[i].high_closed) return false;
    if (!same(a[i].low, b[i].low) || !same(a[i].high, b[i].high)) return false;
  }
  return true;
}

}  // namespace laconic::rewards

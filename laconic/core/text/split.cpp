#include "laconic/core/text/split.h"

#include <algorithm>

namespace laconic::text {

namespace {

struct Part {
  Span span;
  bool match;
};

// The word as an unbroken row of matches and rests.
std::vector<Part> parts_of(const Span& word, const std::vector<Span>& matches, bool invert) {
  std::vector<Part> parts;
  parts.reserve(2 * matches.size() + 1);
  size_t done = word.begin;
  for (const Span& match : matches) {
    const Span moved{word.begin + match.begin, word.begin + match.end};
    if (moved.begin > done) parts.push_back({{done, moved.begin}, invert});
    parts.push_back({moved, !invert});
    done = moved.end;
  }
  if (done < word.end) parts.push_back({{done, word.end}, invert});
  return parts;
}

// Glues a match to the neighbour that `parts` reaches before it, unless that neighbour is a match itself.
std::vector<Span> merged(const std::vector<Part>& parts, bool forward) {
  std::vector<Span> out;
  bool after_match = false;
  for (size_t k = 0; k < parts.size(); ++k) {
    const Part& part = parts[forward ? k : parts.size() - 1 - k];
    if (part.match && !after_match && !out.empty()) {
      if (forward) {
        out.back().end = part.span.end;
      } else {
        out.back().begin = part.span.begin;
      }
    } else {
      out.push_back(part.span);
    }
    after_match = part.match;
  }
  if (!forward) std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

SplitBehavior split_behavior(const Node& node) {
  const std::string name = node.as_text();
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  node.invalid("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
}

void append_split(const Span& word, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                  std::vector<Span>& pieces) {
  const auto append = [&](const Span& span) {
    if (span.begin < span.end) pieces.push_back(span);
  };
  const auto parts = parts_of(word, matches, invert);
  if (behavior == SplitBehavior::merged_with_previous || behavior == SplitBehavior::merged_with_next) {
    const auto spans = merged(parts, behavior == SplitBehavior::merged_with_previous);
    std::for_each(spans.begin(), spans.end(), append);
    return;
  }
  for (size_t k = 0; k < parts.size(); ++k) {
    if (behavior == SplitBehavior::removed && parts[k].match) continue;
    const bool joins = behavior == SplitBehavior::contiguous && k > 0 && parts[k].match == parts[k - 1].match;
    if (joins && !pieces.empty() && pieces.back().end == parts[k].span.begin) {
      pieces.back().end = parts[k].span.end;
    } else {
      append(parts[k].span);
    }
  }
}

}  // namespace laconic::text

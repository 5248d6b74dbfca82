#include "laconic/core/text/added_tokens.h"

#include <algorithm>

#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

// The token touches a word character at either side.
bool inside_word(std::string_view text, const Span& span) {
  if (span.begin > 0 && is_word(code_point_at(text, previous_boundary(text, span.begin)))) return true;
  return span.end < text.size() && is_word(code_point_at(text, span.end));
}

size_t skip_space_left(std::string_view text, size_t begin, size_t limit) {
  while (begin > limit) {
    const size_t before = previous_boundary(text, begin);
    if (!is_whitespace(code_point_at(text, before))) break;
    begin = before;
  }
  return begin;
}

size_t skip_space_right(std::string_view text, size_t end) {
  while (end < text.size() && is_whitespace(code_point_at(text, end))) end += utf8_length(text[end]);
  return end;
}

}  // namespace

void AddedTokenMatcher::add(const AddedToken& token, std::string_view pattern) {
  if (pattern.empty()) return;
  size_t node = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    const auto& next = nodes_[node].next;
    const auto found = std::find_if(next.begin(), next.end(), [&](const auto& edge) { return edge.first == byte; });
    if (found != next.end()) {
      node = static_cast<size_t>(found->second);
      continue;
    }
    nodes_[node].next.emplace_back(byte, static_cast<int32_t>(nodes_.size()));
    node = nodes_.size();
    nodes_.emplace_back();
  }
  first_bytes_[static_cast<unsigned char>(pattern[0])] = true;
  nodes_[node].token = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
}

std::pair<size_t, int32_t> AddedTokenMatcher::longest(std::string_view text, size_t at) const {
  std::pair<size_t, int32_t> best{0, -1};
  size_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto& next = nodes_[node].next;
    const auto found = std::find_if(next.begin(), next.end(), [&](const auto& edge) { return edge.first == byte; });
    if (found == next.end()) break;
    node = static_cast<size_t>(found->second);
    if (nodes_[node].token >= 0) best = {i + 1 - at, nodes_[node].token};
  }
  return best;
}

std::vector<AddedTokenMatcher::Match> AddedTokenMatcher::find(std::string_view text) const {
  std::vector<Match> matches;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    if (!first_bytes_[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const auto [length, index] = longest(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    Span span{at, at + length};
    at = span.end;
    const AddedToken& token = tokens_[static_cast<size_t>(index)];
    if (token.single_word && inside_word(text, span)) continue;
    if (token.lstrip) span.begin = skip_space_left(text, span.begin, done);
    if (token.rstrip) span.end = skip_space_right(text, span.end);
    matches.push_back({span, token.id});
    done = span.end;
    at = std::max(at, done);
  }
  return matches;
}

}  // namespace laconic::text

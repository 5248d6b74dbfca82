#include "laconic/rewards/code_block.h"

#include <algorithm>

#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

// The fence that a line begins with, at most three spaces in: its character and length; length 0 for none.
struct Fence {
  char mark = 0;
  size_t length = 0;
  std::string_view rest;
};

Fence fence_of(std::string_view line) {
  constexpr size_t kMostSpaces = 3, kLeast = 3;
  const size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos || begin > kMostSpaces) return {};
  const char mark = line[begin];
  if (mark != '`' && mark != '~') return {};
  size_t end = line.find_first_not_of(mark, begin);
  if (end == std::string_view::npos) end = line.size();
  if (end - begin < kLeast) return {};
  return {mark, end - begin, trim(line.substr(end))};
}

std::string first_word(std::string_view text) {
  return to_lower(text.substr(0, text.find_first_of(" \t{,")));
}

}  // namespace

const char* to_string(Language language) {
  return language == Language::python ? "python" : "cpp";
}

std::optional<Language> language_of(std::string_view tag) {
  for (const char* name : {"python", "py", "python3"}) {
    if (tag == name) return Language::python;
  }
  for (const char* name : {"cpp", "c++", "cc", "cxx", "c++17", "c++20"}) {
    if (tag == name) return Language::cpp;
  }
  return std::nullopt;
}

std::vector<CodeBlock> code_blocks(std::string_view text) {
  std::vector<CodeBlock> blocks;
  Fence open;
  size_t begin = 0;  // of the open block's code
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    auto line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto fence = fence_of(line);
    const size_t next = std::min(end + 1, text.size());
    if (open.length == 0) {
      // Backticks behind backticks: code within a line of prose.
      const bool opens = fence.length > 0 && !(fence.mark == '`' && fence.rest.find('`') != std::string_view::npos);
      if (opens) {
        open = fence;
        begin = next;
      }
    } else if (fence.mark == open.mark && fence.length >= open.length && fence.rest.empty()) {
      blocks.push_back({first_word(open.rest), text.substr(begin, at - begin), true});
      open = {};
    }
    at = end + 1;
  }
  if (open.length > 0) blocks.push_back({first_word(open.rest), text.substr(begin), false});
  return blocks;
}

FoundCode last_code(std::string_view text, std::optional<Language> wanted) {
  const auto blocks = code_blocks(text);
  if (blocks.empty()) return {{}, {}, "no fenced block of code"};
  if (!blocks.back().closed) return {{}, {}, "the last block of code is not closed"};
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const auto language = language_of(block->tag);
    if (language && (!wanted || *wanted == *language)) return {block->code, *language, nullptr};
  }
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (block->tag.empty()) return {block->code, wanted.value_or(Language::python), nullptr};
  }
  return {{}, {}, "no block of code in the language"};
}

}  // namespace laconic::rewards

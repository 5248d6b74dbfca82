// A strict reader of the markup that the report writes: tags nest, attributes are quoted, text is escaped.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::metrics {

// What is wrong with the page, or "".
inline std::string markup_mistake(std::string_view html) {
  constexpr std::array<std::string_view, 3> kVoid = {"meta", "br", "!doctype"};
  std::vector<std::string> open;
  size_t at = 0;
  while (at < html.size()) {
    if (html[at] != '<') {
      if (html[at] == '>' && open.back() != "style" && open.back() != "script") return "a bare > in a text";
      ++at;
      continue;
    }
    size_t end = at + 1;
    for (char quote = 0; end < html.size() && (quote != 0 || html[end] != '>'); ++end) {
      if (html[end] == '"') quote = quote == 0 ? '"' : 0;
      if (html[end] == '<') return "a < inside of a tag";
    }
    if (end >= html.size()) return "a tag that never ends";
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" \n")));
    at = end + 1;
    if (name.starts_with('/')) {
      if (open.empty() || "/" + open.back() != name)
        return "<" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if (!tag.ends_with('/') && std::find(kVoid.begin(), kVoid.end(), name) == kVoid.end()) {
      open.push_back(name);
      if (name != "script" && name != "style") continue;
      at = html.find("</" + name, at);
      if (at == std::string_view::npos) return name + " never ends";
    }
  }
  return open.empty() ? "" : open.back() + " is never closed";
}

// How often a part stands in a text.
inline size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace laconic::metrics

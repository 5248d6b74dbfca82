#include "laconic/core/text/pattern.h"

#include <vector>

namespace laconic::text {

Regex make_pattern(const Node& node) {
  if (node.is_string()) return Regex::literal(node.as_text(), node.where());
  node.only({"String", "Regex"});
  if (node.has("String")) return Regex::literal(node.text("String"), node.where());
  return Regex(node.text("Regex"), node.where());
}

std::string replace_all(std::string_view text, const Regex& pattern, std::string_view content) {
  std::vector<Span> matches;
  pattern.find_all(text, matches);
  std::string out;
  out.reserve(text.size() + matches.size() * content.size());
  size_t done = 0;
  for (const Span& match : matches) {
    out.append(text.substr(done, match.begin - done)).append(content);
    done = match.end;
  }
  out.append(text.substr(done));
  return out;
}

}  // namespace laconic::text

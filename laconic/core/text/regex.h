// Regular expressions of tokenizer.json files. They are written for Oniguruma (Ruby syntax, UTF-8); this class runs
// them on PCRE2 with JIT, after a translation of what differs between the two. A construct without a faithful
// translation is an Error of kind unsupported.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::text {

// A half-open byte range.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

// Rewrites an Oniguruma pattern for PCRE2. `where` (file and place in it) opens error messages.
std::string translate_pattern(std::string_view pattern, const std::string& where);

// Immutable after construction; matching from several threads at once is safe.
class Regex {
 public:
  Regex(std::string_view pattern, std::string where);
  // A pattern that matches exactly `literal`.
  static Regex literal(std::string_view literal, std::string where);

  // Appends all matches in text (valid UTF-8), leftmost first, not overlapping. An empty match directly behind another
  // match does not count.
  void find_all(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;  // shared: copies of a pre-tokenizer use the same code
  std::string literal_;                       // non-empty: plain search instead of PCRE2
  std::string where_;
};

}  // namespace laconic::text

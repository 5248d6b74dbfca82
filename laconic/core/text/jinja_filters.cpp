#include "laconic/core/text/jinja_filters.h"

#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_error.h"

namespace laconic::text::jinja {

namespace {

// Filters of Jinja for web pages and the like, which no chat template needs.
constexpr std::array<std::string_view, 9> kUnsupported = {
    "filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "slice", "wordwrap", "xmlattr"};

Filter find_supported(std::string_view name) {
  for (const auto find : {find_text_filter, find_sequence_filter, find_lazy_filter, find_number_filter}) {
    if (const Filter filter = find(name)) return filter;
  }
  return nullptr;
}

}  // namespace

bool is_filter(std::string_view name) {
  return find_supported(name) != nullptr ||
         std::find(kUnsupported.begin(), kUnsupported.end(), name) != kUnsupported.end();
}

Filter find_filter(std::string_view name) {
  if (const Filter filter = find_supported(name)) return filter;
  if (is_filter(name)) not_supported("the filter `{}`", name);
  template_error("No filter named '{}' found.", name);
}

}  // namespace laconic::text::jinja

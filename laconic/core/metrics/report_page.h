// The fixed parts of the pages that show runs to a person.
#pragma once

#include <string>

namespace laconic::metrics {

// A whole self-contained page around the sections in `body`; `subtitle` may be empty. Line charts of a <section> show
// their values under the pointer by the names of the legend in the same section.
std::string render_page(const std::string& title, const std::string& subtitle, const std::string& body);

}  // namespace laconic::metrics

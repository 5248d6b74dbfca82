// Text inside HTML and SVG.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace laconic::metrics {

// Safe as element content and inside quoted attributes: & < > " ' are escaped, bytes that are not UTF-8 and control
// characters other than newline and tab become U+FFFD.
std::string escape_html(std::string_view text);

// The text with its middle replaced by a line that says how many bytes it leaves out, when it is longer than `most`
// bytes. Cuts between UTF-8 characters.
std::string without_middle(std::string_view text, size_t most);

}  // namespace laconic::metrics

// What the standard error of this process can show.
#pragma once

#include <string>
#include <string_view>

namespace laconic::metrics {

struct ConsoleStyle {
  bool terminal = false;  // lines can be redrawn
  bool color = false;     // terminal, and neither NO_COLOR nor TERM=dumb is set
  bool utf8 = false;      // the locale's encoding
  int width = 80;         // columns; meaningful for terminals only

  static ConsoleStyle of_standard_error();
};

// Columns that a UTF-8 text takes: code points, without ANSI colour sequences.
int display_width(std::string_view text);

// The text in an ANSI style ("2" dim, "1" bold, "31" red), or as it is where colours are off.
std::string styled(const ConsoleStyle& style, std::string_view code, std::string_view text);

}  // namespace laconic::metrics

// The small part of LaTeX and Markdown that surrounds answers.
#pragma once

#include <string>
#include <string_view>

namespace laconic::rewards {

// Removes what changes no value: math delimiters \( \) \[ \], spacing commands, \left and \right, ** and `, the
// wrappers of \text{...} and its relatives; unifies \dfrac and \tfrac, \$ and \%, the Unicode minus, the degree sign.
// Linear, never throws.
std::string strip_latex(std::string_view text);

// A form in which many equal expressions are equal as text: strip_latex, then no spaces, no dollar signs, no final full
// stop, \frac34 and 3/4 as \frac{3}{4}, \sqrt3 as \sqrt{3}, .5 as 0.5, without a leading `x =`. Only texts up to 4096
// bytes are normalised; a longer one comes back trimmed.
std::string normal_form(std::string_view text);

}  // namespace laconic::rewards

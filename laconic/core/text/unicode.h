// Unicode facts that tokenizers need, over valid UTF-8: code points, character classes, normal forms.
// Character data comes from utf8proc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace laconic::text {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the UTF-8 sequence that starts with `lead` (a valid lead byte).
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// The code point that starts at `at`; text is valid UTF-8 and `at` is a character boundary.
char32_t code_point_at(std::string_view text, size_t at);
void append_utf8(char32_t code_point, std::string& out);

// The last character's first byte before `end` (> 0).
size_t previous_boundary(std::string_view text, size_t end);

bool is_whitespace(char32_t c);   // Unicode White_Space
bool is_numeric(char32_t c);      // Nd, Nl, No
bool is_punctuation(char32_t c);  // ASCII punctuation or any of Pc, Pd, Ps, Pe, Pi, Pf, Po
bool is_word(char32_t c);         // \w: alphabetic, mark, decimal digit, connector punctuation, joiner

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// By the data of Unicode 9.0, as the reference implementation of tokenizers does.
std::string normalize(std::string_view text, NormalForm form);

// Lower case, character by character (no context rules).
std::string lowercase(std::string_view text);

// How the bytes at the front of `text` decode: the length of the first complete valid character (valid = true), or of
// the maximal invalid part that one U+FFFD replaces (valid = false); length 0 when more bytes are needed to tell.
struct Utf8Step {
  size_t length;
  bool valid;
};
Utf8Step utf8_step(std::string_view text);

}  // namespace laconic::text

// The byte-level alphabet of GPT-2: each of the 256 bytes is written as one visible character, so that BPE can work on
// strings. Printable Latin-1 bytes stand for themselves, the other 68 are U+0100 upwards in order.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace laconic::text {

class ByteAlphabet {
 public:
  ByteAlphabet();
  // The character (UTF-8) of a byte.
  const std::string& character(unsigned char byte) const { return characters_[byte]; }
  // The byte of a code point, or -1 when it is not in the alphabet.
  int byte(char32_t c) const { return c < bytes_.size() ? bytes_[c] : -1; }

 private:
  std::array<std::string, 256> characters_;
  std::array<int16_t, 0x144> bytes_;
};

}  // namespace laconic::text

#include "laconic/core/text/byte_alphabet.h"

#include "laconic/core/text/unicode.h"

namespace laconic::text {

ByteAlphabet::ByteAlphabet() {
  bytes_.fill(-1);
  char32_t next = 0x100;
  for (size_t byte = 0; byte < characters_.size(); ++byte) {
    const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const char32_t c = visible ? static_cast<char32_t>(byte) : next++;
    append_utf8(c, characters_[byte]);
    bytes_[c] = static_cast<int16_t>(byte);
  }
}

}  // namespace laconic::text

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/data/records.h"

namespace laconic::data {
namespace {

// Ends the zlib stream whatever happens.
struct Inflater {
  z_stream stream{};
  Inflater() { LACONIC_CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib cannot start"); }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

std::string inflate_all(std::string& packed, const std::filesystem::path& path) {
  Inflater inflater;
  auto& stream = inflater.stream;
  std::string text;
  std::string buffer(1 << 18, '\0');
  size_t consumed = 0;
  int status = Z_OK;
  while (consumed < packed.size() || status != Z_STREAM_END) {
    if (status == Z_STREAM_END) {
      // Another member follows; trailing zero bytes are padding.
      if (packed.find_first_not_of('\0', consumed) == std::string::npos) break;
      LACONIC_CHECK(inflateReset(&stream) == Z_OK, "zlib cannot restart");
    }
    const size_t chunk = std::min<size_t>(packed.size() - consumed, std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(packed.data() + consumed);
    stream.avail_in = static_cast<uInt>(chunk);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&stream, Z_NO_FLUSH);
    consumed += chunk - stream.avail_in;
    const size_t produced = buffer.size() - stream.avail_out;
    text.append(buffer.data(), produced);
    if (status == Z_STREAM_END) continue;
    if (status == Z_BUF_ERROR || (status == Z_OK && consumed == packed.size() && produced < buffer.size())) {
      fail(ErrorKind::input, "{}: the gzip stream ends too early ({} bytes could be read)", path.string(), text.size());
    }
    if (status != Z_OK) {
      fail(ErrorKind::input, "{}: damaged gzip stream near byte {}: {}", path.string(), consumed,
           stream.msg != nullptr ? stream.msg : "bad data");
    }
  }
  return text;
}

}  // namespace

std::string read_maybe_gz(const std::filesystem::path& path) {
  std::string content = read_file(path);
  if (content.size() >= 2 && content[0] == '\x1f' && content[1] == '\x8b') return inflate_all(content, path);
  if (path.extension() == ".gz" && !content.empty())
    fail(ErrorKind::input, "{}: not a gzip file in spite of its name", path.string());
  return content;
}

}  // namespace laconic::data

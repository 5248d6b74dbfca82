#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/data/byte_source.h"

namespace laconic::data {
namespace {

class GzipBytes final : public ByteSource {
 public:
  GzipBytes(std::unique_ptr<ByteSource> packed, std::string name) : packed_(std::move(packed)), name_(std::move(name)) {
    LACONIC_CHECK(inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK, "zlib cannot start");
  }
  ~GzipBytes() override { inflateEnd(&stream_); }

  size_t read(char* buffer, size_t capacity) override {
    const auto room = static_cast<uInt>(std::min<size_t>(capacity, std::numeric_limits<uInt>::max()));
    for (;;) {
      if (stream_.avail_in == 0) refill();
      if (status_ == Z_STREAM_END && !next_member()) return 0;
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = room;
      status_ = inflate(&stream_, Z_NO_FLUSH);
      const size_t produced = room - stream_.avail_out;
      unpacked_ += produced;
      if (status_ != Z_OK && status_ != Z_STREAM_END && status_ != Z_BUF_ERROR) {
        fail(ErrorKind::input, "{}: damaged gzip stream near byte {}: {}", name_, taken_ - stream_.avail_in,
             stream_.msg != nullptr ? stream_.msg : "bad data");
      }
      if (produced > 0) return produced;
      if (status_ != Z_STREAM_END && at_end_ && stream_.avail_in == 0)
        fail(ErrorKind::input, "{}: the gzip stream ends too early ({} bytes could be read)", name_, unpacked_);
    }
  }

 private:
  void refill() {
    const size_t n = at_end_ ? 0 : packed_->read(input_.data(), input_.size());
    at_end_ = n == 0;
    taken_ += n;
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(n);
  }

  // Between members; zero bytes there are padding.
  bool next_member() {
    for (;;) {
      while (stream_.avail_in > 0 && *stream_.next_in == 0) {
        ++stream_.next_in;
        --stream_.avail_in;
      }
      if (stream_.avail_in > 0) break;
      if (at_end_) return false;
      refill();
    }
    LACONIC_CHECK(inflateReset(&stream_) == Z_OK, "zlib cannot restart");
    status_ = Z_OK;
    return true;
  }

  std::unique_ptr<ByteSource> packed_;
  std::string name_;
  z_stream stream_{};
  std::array<char, 1 << 16> input_{};
  int status_ = Z_OK;
  bool at_end_ = false;  // of the packed bytes
  uint64_t taken_ = 0, unpacked_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed, const std::string& name) {
  return std::make_unique<GzipBytes>(std::move(packed), name);
}

}  // namespace laconic::data

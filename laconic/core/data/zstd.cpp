#include <zstd.h>

#include <array>

#include "laconic/core/base/error.h"
#include "laconic/core/data/byte_source.h"

namespace laconic::data {
namespace {

// Windows of `zstd --long=31`, the largest there are; smaller ones take less memory.
constexpr int kLargestWindow = 31;

class ZstdBytes final : public ByteSource {
 public:
  ZstdBytes(std::unique_ptr<ByteSource> packed, std::string name)
      : packed_(std::move(packed)), name_(std::move(name)), stream_(ZSTD_createDCtx()) {
    LACONIC_CHECK(
        stream_ != nullptr && ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kLargestWindow)) == 0,
        "zstd cannot start");
  }
  ~ZstdBytes() override { ZSTD_freeDCtx(stream_); }

  size_t read(char* buffer, size_t capacity) override {
    for (;;) {
      if (in_.pos == in_.size && !at_end_) refill();
      ZSTD_outBuffer out{buffer, capacity, 0};
      // At the end of the input there may be output left that had no room before.
      if (in_.pos == in_.size && at_end_ && frame_done_) return 0;
      const size_t left = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(left) != 0) {
        fail(ErrorKind::input, "{}: damaged zstd stream near byte {}: {}", name_, taken_ - (in_.size - in_.pos),
             ZSTD_getErrorName(left));
      }
      frame_done_ = left == 0;
      unpacked_ += out.pos;
      if (out.pos > 0) return out.pos;
      if (at_end_ && in_.pos == in_.size && !frame_done_)
        fail(ErrorKind::input, "{}: the zstd stream ends too early ({} bytes could be read)", name_, unpacked_);
    }
  }

 private:
  void refill() {
    const size_t n = packed_->read(input_.data(), input_.size());
    at_end_ = n == 0;
    taken_ += n;
    in_ = {input_.data(), n, 0};
  }

  std::unique_ptr<ByteSource> packed_;
  std::string name_;
  ZSTD_DCtx* stream_;
  std::array<char, 1 << 16> input_{};
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool at_end_ = false;      // of the packed bytes
  bool frame_done_ = false;  // what was read so far ends with a whole frame
  uint64_t taken_ = 0, unpacked_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> unzstd(std::unique_ptr<ByteSource> packed, const std::string& name) {
  return std::make_unique<ZstdBytes>(std::move(packed), name);
}

}  // namespace laconic::data

#include "laconic/core/data/text_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace laconic::data {
namespace {

constexpr size_t kPiece = 1 << 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

TextReader::TextReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {
  while ((blank_ || end_ < kByteOrderMark.size()) && more()) {
  }
  if (std::string_view(buffer_).substr(0, end_).starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

bool TextReader::more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kPiece) buffer_.resize(std::max(2 * buffer_.size(), end_ + kPiece));
  const size_t n = source_->read(buffer_.data() + end_, buffer_.size() - end_);
  if (blank_) blank_ = std::string_view(buffer_).substr(end_, n).find_first_not_of(" \t\r\n") == std::string_view::npos;
  end_ += n;
  return n > 0;
}

bool TextReader::line(std::string_view& line) {
  size_t searched = 0;
  for (;;) {
    const std::string_view unread(buffer_.data() + begin_, end_ - begin_);
    const size_t at = unread.find('\n', searched);
    if (at != std::string_view::npos) {
      line = unread.substr(0, at);
      begin_ += at + 1;
      return true;
    }
    searched = unread.size();
    if (more()) continue;
    line = std::string_view(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
    return !line.empty();
  }
}

std::string TextReader::rest() {
  while (more()) {
  }
  std::string text = buffer_.substr(begin_, end_ - begin_);
  begin_ = end_;
  return text;
}

}  // namespace laconic::data

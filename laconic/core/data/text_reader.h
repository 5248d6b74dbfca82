// Text out of a byte source, by lines or by characters. A byte-order mark in front is passed over.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "laconic/core/data/byte_source.h"

namespace laconic::data {

class TextReader {
 public:
  explicit TextReader(std::unique_ptr<ByteSource> source);

  // The next line without its '\n', valid until the next call; false at the end. Memory grows to the longest line.
  bool line(std::string_view& line);

  // By characters: what comes next, -1 at the end.
  int peek() { return begin_ < end_ || more() ? static_cast<unsigned char>(buffer_[begin_]) : -1; }
  int get() {
    const int c = peek();
    if (c >= 0) ++begin_;
    return c;
  }

  // All that is left.
  std::string rest();

  // Whether the whole source is nothing but white space.
  bool blank() const { return blank_; }

 private:
  bool more();  // reads on behind end_; false at the end of the source

  std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is read and not yet given out, in buffer_
  bool blank_ = true;
};

}  // namespace laconic::data

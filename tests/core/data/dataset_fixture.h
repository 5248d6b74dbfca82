// What the tests of data sets share: files in a folder of their own, gzip, and errors as texts.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/core/data/dataset.h"
#include "tests/support/temporary_folder.h"

namespace laconic::data {

// Writes small files and loads them.
class DatasetTest : public testing::Test {
 protected:
  DatasetOptions file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    DatasetOptions options;
    options.path = folder_ / name;
    options.prompt_column = "prompt";
    return options;
  }
  static std::string error_of(const DatasetOptions& options) {
    try {
      load_dataset(options);
    } catch (const Error& error) {
      return std::string(to_string(error.kind())) + " " + error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

inline std::string gzipped(const std::string& text) {
  std::string packed(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// With a checksum, as the zstd program writes it.
inline std::string zstandard(const std::string& text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

}  // namespace laconic::data

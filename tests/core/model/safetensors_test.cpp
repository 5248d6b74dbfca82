#include "laconic/core/model/safetensors.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tensors.h"

namespace laconic::model {
namespace {

using testing::HasSubstr;

const std::vector<at::ScalarType> kDtypes = {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble, at::kLong,
                                             at::kInt,   at::kChar,     at::kByte, at::kBool};

// A file of the given header and data; `length` overrides what the first eight bytes say.
class File {
 public:
  explicit File(const std::string& header, size_t data_bytes = 0, std::optional<uint64_t> length = std::nullopt) {
    std::ofstream out(path(), std::ios::binary);
    const uint64_t said = length.value_or(header.size());
    out.write(reinterpret_cast<const char*>(&said), sizeof said);
    out << header << std::string(data_bytes, '\1');
  }
  std::filesystem::path path() const { return folder_ / "weights.safetensors"; }
  // What the reader says about it, after reading every tensor.
  std::string problem() const {
    return error_of([&] {
      const SafetensorsFile file(path());
      for (const auto& name : file.names()) file.tensor(name).to(at::kFloat).sum();
    });
  }

 private:
  TemporaryFolder folder_;
};

TEST(Safetensors, EveryDtypeAndShapeSurvives) {
  const TemporaryFolder folder;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto dtype : kDtypes) {
    const std::string name = c10::toString(dtype);
    tensors.emplace_back(name, (normal_tensor({3, 5}, 1) * 50).to(dtype));
    tensors.emplace_back(name + ".one", at::ones({}, dtype));
    tensors.emplace_back(name + ".none", at::empty({0, 7}, dtype));
    tensors.emplace_back(name + ".odd", at::ones({3}, dtype));  // the next tensor is misaligned
  }
  tensors.emplace_back("strided", normal_tensor({4, 6}, 2).t());
  tensors.emplace_back("slashes/and \"quotes\" and é", normal_tensor({2}, 3));
  tensors.emplace_back("bits", at::tensor(std::vector<float>{-0.0f, 1e-45f, std::numeric_limits<float>::infinity()}));
  write_safetensors(folder / "t", tensors, {{"format", "pt"}, {"note", "x"}});
  std::vector<at::Tensor> read;
  {
    const SafetensorsFile file(folder / "t");
    EXPECT_EQ(file.names().size(), tensors.size());
    EXPECT_EQ(file.metadata().at("note"), "x");
    for (const auto& entry : tensors) read.push_back(file.tensor(entry.first));
    EXPECT_EQ(file.shape("strided"), (std::vector<int64_t>{6, 4}));
    EXPECT_THAT(error_of([&] { file.tensor("stridet"); }), HasSubstr("did you mean `strided`"));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {  // the map outlives the file object
    const auto& [name, tensor] = tensors[i];
    EXPECT_EQ(read[i].scalar_type(), tensor.scalar_type());
    EXPECT_EQ(read[i].sizes(), tensor.sizes());
    const auto plain = tensor.contiguous();
    EXPECT_EQ(std::memcmp(read[i].const_data_ptr(), plain.const_data_ptr(), plain.nbytes()), 0) << name;
  }
}

TEST(Safetensors, WritingRefusesWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] {
                write_safetensors(folder / "t", {{"a", at::ones({1}, at::kComplexFloat)}});
              }),
              HasSubstr("cannot be written"));
  EXPECT_THAT(error_of([&] {
                write_safetensors(folder / "t", {{"a", at::ones({1})}, {"a", at::ones({1})}});
              }),
              HasSubstr("a occurs twice"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "a failed write leaves nothing behind";
}

TEST(Safetensors, AnEmptyFileOfTensorsIsAFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "t", {}, {});
  EXPECT_TRUE(SafetensorsFile(folder / "t").names().empty());
}

// Every truncation of a real file is an error with its name: in the length, the header, each tensor.
TEST(Safetensors, TruncatedAnywhere) {
  const TemporaryFolder folder;
  write_safetensors(folder / "whole", {{"first", at::ones({2, 3})}, {"second", at::ones({5}, at::kBFloat16)}});
  std::ifstream in(folder / "whole", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::ofstream(folder / "cut", std::ios::binary) << bytes.substr(0, size);
    EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder / "cut"); }), HasSubstr("cut")) << size;
  }
  std::ofstream(folder / "cut", std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder / "cut"); }), HasSubstr("truncated: it ends at byte"));
  std::ofstream(folder / "long", std::ios::binary) << bytes << "abc";
  EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder / "long"); }), HasSubstr("last 3 bytes"));
}

// Any byte of the header may be wrong: the reader says so or reads something, and never crashes.
TEST(Safetensors, FlippedHeaderBytes) {
  const TemporaryFolder folder;
  write_safetensors(folder / "whole", {{"first", at::ones({2, 3})}, {"second", at::ones({5}, at::kBFloat16)}});
  std::ifstream in(folder / "whole", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const size_t header_end = bytes.size() - 34;
  for (size_t at = 0; at < header_end; ++at) {
    for (const char flip : {'\1', '\x20', '\x80'}) {
      auto damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      std::ofstream(folder / "t", std::ios::binary) << damaged;
      error_of([&] {  // fails the test where anything but an Error is thrown
        const SafetensorsFile file(folder / "t");
        for (const auto& name : file.names()) file.tensor(name).sum();
      });
    }
  }
}

struct BrokenCase {
  std::string name, header, expected;
  size_t data_bytes = 8;
};

class BrokenHeader : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenHeader, IsAnErrorThatNamesWhatIsWrong) {
  const File file(GetParam().header, GetParam().data_bytes);
  const std::string problem = file.problem();
  EXPECT_THAT(problem, HasSubstr("weights.safetensors"));
  EXPECT_THAT(problem, HasSubstr(GetParam().expected));
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

std::vector<BrokenCase> broken_cases() {
  const std::string good = entry("a", "F32", "[1]", "[0,4]");
  const auto one = [](const std::string& shape, const std::string& offsets) {
    return "{" + entry("layer.w", "F32", shape, offsets) + "}";
  };
  return {
      {"not_json", "nonsense", "header is damaged"},
      {"no_object", "[1,2]", "expected an object"},
      {"a_number", "17", "expected an object"},
      {"invalid_utf8", "{\"\xff\":1}", "header is damaged"},
      {"entry_is_no_object", R"({"layer.w":3})", "tensor layer.w: expected a JSON object"},
      {"no_dtype", R"({"layer.w":{"shape":[2],"data_offsets":[0,8]}})", "tensor layer.w: its dtype is missing"},
      {"no_shape", R"({"layer.w":{"dtype":"F32","data_offsets":[0,8]}})", "tensor layer.w: its shape is missing"},
      {"no_offsets", R"({"layer.w":{"dtype":"F32","shape":[2]}})", "layer.w: its data_offsets is missing"},
      {"dtype_is_a_number", R"({"layer.w":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})", "layer.w: dtype"},
      {"unknown_dtype", "{" + entry("layer.w", "F8_E4M3", "[8]", "[0,8]") + "}", "layer.w: the dtype F8_E4M3"},
      {"fractional_shape", one("[2.5]", "[0,8]"), "layer.w: shape: expected a list of whole numbers"},
      {"negative_shape", one("[-2]", "[0,8]"), "layer.w: shape: expected a list of whole numbers"},
      {"shape_is_a_number", one("2", "[0,8]"), "layer.w: shape: expected a list of whole numbers"},
      {"overflowing_shape", one("[4294967296,4294967296]", "[0,8]"), "layer.w: the shape"},
      {"overflowing_empty_shape", one("[0,9223372036854775807,9]", "[0,0]"), "layer.w: the shape"},
      {"enormous_shape", one("[18446744073709551615]", "[0,8]"), "layer.w: the shape"},
      {"nested_shape", one("[[2]]", "[0,8]"), "layer.w: shape: expected a list of whole numbers"},
      {"three_offsets", one("[2]", "[0,8,8]"), "layer.w: shape [2] and dtype F32 need 8 bytes"},
      {"one_offset", one("[2]", "[8]"), "layer.w: shape [2] and dtype F32 need 8 bytes"},
      {"negative_offset", one("[2]", "[-8,0]"), "layer.w: data_offsets"},
      {"reversed_offsets", one("[2]", "[8,0]"), "need 8 bytes, but data_offsets are [8, 0]"},
      {"wrong_size", one("[3]", "[0,8]"), "shape [3] and dtype F32 need 12 bytes, but data_offsets are [0, 8]"},
      {"beyond_the_end", one("[2]", "[8,16]"), "layer.w: truncated: it ends at byte 16"},
      {"enormous_offsets", one("[2]", "[18446744073709551600,18446744073709551608]"), "layer.w: truncated"},
      {"overlap", "{" + good + "," + entry("b", "F32", "[1]", "[2,6]") + "}", "tensor b overlaps"},
      {"the_same_place", "{" + good + "," + entry("b", "F32", "[1]", "[0,4]") + "}", "overlaps"},
      {"inside_of_another", "{" + entry("b", "F32", "[2]", "[0,8]") + "," + entry("c", "U8", "[0]", "[3,3]") + "}",
       "tensor c overlaps"},
      {"gap", "{" + good + "," + entry("b", "F32", "[1]", "[8,12]") + "}", "4 bytes before tensor b", 12},
      {"rest", "{" + good + "}", "the last 4 bytes"},
      {"twice", "{" + good + "," + entry("a", "F32", "[1]", "[4,8]") + "}", "tensor a is in the header twice"},
      {"metadata_is_a_list", R"({"__metadata__":[]})", "__metadata__", 0},
      {"metadata_of_numbers", R"({"__metadata__":{"a":1}})", "__metadata__: a: expected a text", 0},
      {"deeply_nested", "{\"layer.w\":" + std::string(100000, '[') + std::string(100000, ']') + "}", "layer.w"},
  };
}

INSTANTIATE_TEST_SUITE_P(Cases, BrokenHeader, testing::ValuesIn(broken_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Safetensors, HeaderLengthsThatLie) {
  const std::string header = "{" + entry("a", "F32", "[2]", "[0,8]") + "}";
  EXPECT_EQ(File(header, 8).problem(), "");
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, header.size() - 1, header.size() + 1, header.size() + 8,
                                header.size() + 9, uint64_t{1} << 40, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{7}})
    EXPECT_THAT(File(header, 8, length).problem(), HasSubstr("weights.safetensors")) << length;
  EXPECT_THAT(File(header, 8, ~uint64_t{0}).problem(), HasSubstr("should have 18446744073709551615 bytes"));
}

TEST(Safetensors, PaddingBehindTheHeaderIsAllowed) {
  EXPECT_EQ(File("{" + entry("a", "F32", "[2]", "[0,8]") + "}      ", 8).problem(), "");
}

TEST(Safetensors, NoFileAtAll) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder / "absent"); }), HasSubstr("absent"));
  EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder.path()); }), HasSubstr("not a regular file"));
  std::ofstream{folder / "empty"}.close();
  EXPECT_THAT(error_of([&] { const SafetensorsFile file(folder / "empty"); }), HasSubstr("0 bytes are too few"));
}

}  // namespace
}  // namespace laconic::model

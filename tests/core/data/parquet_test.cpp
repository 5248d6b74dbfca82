// Parquet: the same examples as from text, every type that a set may hold, and what is wrong said in words. Skipped
// where it is not built in.
#include "laconic/core/data/parquet.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "laconic/core/base/files.h"
#include "tests/core/data/dataset_fixture.h"

namespace laconic::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

// Two row groups of two and one rows, written by pyarrow 26 with zstd.
const std::filesystem::path kTypes = std::filesystem::path(LACONIC_SOURCE_DIR) / "tests/core/data/types.parquet";

class ParquetTest : public DatasetTest {
 protected:
  void SetUp() override {
    if (!parquet_is_built()) GTEST_SKIP() << "Parquet is not built in (scripts/setup.sh --parquet)";
  }
};

TEST_F(ParquetTest, EveryTypeComesAsJson) {
  std::vector<Json> rows;
  std::vector<std::string> places;
  read_parquet(kTypes, {}, [&](Record&& record) {
    rows.push_back(record.value);
    places.push_back(record.source.substr(record.source.rfind(':')));
    return true;
  });
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(places, ElementsAre(":[0]", ":[1]", ":[2]"));
  EXPECT_EQ(rows[0].dump(),
            R"({"question":"1+1?","answer":"so\n#### 2","n":1,"big":9223372036854775808,"x":0.1,"flag":true,)"
            R"("chat":[{"role":"user","content":"hi"},{"role":"assistant","content":"yes"}],)"
            R"("info":{"truth":"2","deep":{"k":[1,2]}},"day":"2025-07-10","money":"1.50","kind":"a"})");
  EXPECT_EQ(rows[1]["question"], "Wie groß ist π?");
  EXPECT_EQ(rows[1]["n"], nullptr);
  EXPECT_EQ(rows[1]["info"].dump(), R"({"truth":"3.14","deep":null})");
  EXPECT_EQ(rows[2]["flag"], nullptr);
  EXPECT_EQ(rows[2]["info"]["deep"]["k"], Json::array());
}

TEST_F(ParquetTest, TheSameExamplesAsFromJsonLines) {
  DatasetOptions parquet;
  parquet.path = kTypes;
  parquet.preset = "gsm8k";
  const auto columnar = load_dataset(parquet);
  std::string lines;
  for (const auto& example : columnar.examples) lines += example.columns.dump() + "\n";
  auto text = file("types.jsonl", lines);
  text.prompt_column.clear();
  text.preset = "gsm8k";
  const auto plain = load_dataset(text);
  ASSERT_EQ(plain.examples.size(), columnar.examples.size());
  for (size_t i = 0; i < plain.examples.size(); ++i) {
    EXPECT_EQ(plain.examples[i].id, columnar.examples[i].id);
    EXPECT_EQ(plain.examples[i].prompt, columnar.examples[i].prompt);
    EXPECT_EQ(plain.examples[i].answer, columnar.examples[i].answer);
  }
  EXPECT_EQ(columnar.examples[1].answer, "3.14");
}

TEST_F(ParquetTest, OnlyTheMappedColumnsAreRead) {
  EXPECT_THAT(parquet_columns(kTypes), testing::Contains("info"));
  std::vector<std::string> names;
  read_parquet(kTypes, {"info", "question"}, [&](Record&& record) {
    for (const auto& [name, value] : record.value.items()) names.push_back(name);
    return false;
  });
  EXPECT_THAT(names, ElementsAre("question", "info"));
  DatasetOptions options;
  options.path = kTypes;
  options.prompt_column = "question";
  options.answer_column = "info.truth";
  options.keep_columns = false;
  const auto data = load_dataset(options);
  EXPECT_EQ(data.examples[2].answer, "4");
  EXPECT_TRUE(data.examples[2].columns.is_null());
  options.prompt_column = "chat";
  EXPECT_EQ(load_dataset(options).examples[0].response, "yes");
}

TEST_F(ParquetTest, AMissingColumnListsThoseOfTheFile) {
  DatasetOptions options;
  options.path = kTypes;
  options.prompt_column = "questoin";
  for (const bool keep : {false, true}) {
    options.keep_columns = keep;
    EXPECT_THAT(error_of(options),
                AllOf(HasSubstr("input "), HasSubstr("types.parquet: no column `questoin`"),
                      HasSubstr("did you mean `question`"), HasSubstr("the file has question, answer, n, big")));
  }
}

TEST_F(ParquetTest, FilesThatAreNotParquet) {
  const auto whole = read_file(kTypes);
  EXPECT_THAT(error_of(file("a.parquet", "")), HasSubstr("a.parquet: the file is empty"));
  EXPECT_THAT(error_of(file("b.parquet", "{\"prompt\": 1}")), HasSubstr("not a Parquet file"));
  EXPECT_THAT(error_of(file("c.parquet", "PAR1")), HasSubstr("c.parquet: cannot be read as Parquet"));
  EXPECT_THAT(error_of(file("d.parquet", whole.substr(0, whole.size() - 9))), HasSubstr("cannot be read as Parquet"));
  auto damaged = whole;
  for (size_t i = 8; i < 400; ++i) damaged[i] = static_cast<char>(damaged[i] ^ 0x5A);
  auto options = file("e.parquet", damaged);
  options.prompt_column = "question";
  EXPECT_THAT(error_of(options), HasSubstr("e.parquet: cannot be read as Parquet"));
  options.path = folder_ / "absent.parquet";
  EXPECT_THAT(error_of(options), HasSubstr("cannot open"));
}

TEST_F(ParquetTest, WhatTheSinkThrowsComesThrough) {
  EXPECT_THROW(read_parquet(kTypes, {}, [](Record&&) -> bool { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace laconic::data

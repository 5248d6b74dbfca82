// Sets in several files: which files a pattern names, in which order, and what their records are called.
#include "laconic/core/data/file_names.h"

#include <gmock/gmock.h>

#include "tests/core/data/dataset_fixture.h"

namespace laconic::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FileNames : public DatasetTest {
 protected:
  void SetUp() override {
    for (const char* folder : {"algebra", "geometry"}) std::filesystem::create_directories(folder_ / folder);
    for (const char* name :
         {"train-1.jsonl", "train-0.jsonl", "test.jsonl", "algebra/train.jsonl", "geometry/train.jsonl", "a[1].jsonl"})
      (void)file(name, "{\"prompt\": \"" + std::string(name) + " 0\"}\n{\"prompt\": \"" + name + " 1\"}\n");
  }
  DatasetOptions set(const std::string& pattern) {
    DatasetOptions options;
    options.path = folder_ / pattern;
    options.prompt_column = "prompt";
    return options;
  }
  std::vector<std::string> ids(const std::string& pattern) {
    const auto examples = load_dataset(set(pattern)).examples;
    std::vector<std::string> ids;
    ids.reserve(examples.size());
    for (const auto& example : examples) ids.push_back(example.id);
    return ids;
  }
};

TEST_F(FileNames, InTheOrderOfTheNames) {
  EXPECT_THAT(ids("train-*.jsonl"), ElementsAre("train-0:0", "train-0:1", "train-1:0", "train-1:1"));
  EXPECT_THAT(ids("train-0.jsonl"), ElementsAre("train-0:0", "train-0:1")) << "as in the set of all";
  EXPECT_EQ(load_dataset(set("train-?.jsonl")).examples[2].prompt, "train-1.jsonl 0");
}

TEST_F(FileNames, FoldersThatAreLeftOpenTellFilesApart) {
  EXPECT_THAT(ids("*/train.jsonl"),
              ElementsAre("algebra/train:0", "algebra/train:1", "geometry/train:0", "geometry/train:1"));
}

TEST_F(FileNames, ANameThatIsThereIsNoPattern) {
  EXPECT_THAT(ids("a[1].jsonl"), ElementsAre("a[1]:0", "a[1]:1"));
}

TEST_F(FileNames, LimitsCountOverAllFiles) {
  auto options = set("train-*.jsonl");
  options.offset = 1;
  options.limit = 2;
  const auto examples = load_dataset(options).examples;
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[1].prompt, "train-1.jsonl 0");
}

TEST_F(FileNames, NoMatchIsAnError) {
  EXPECT_THAT(error_of(set("dev-*.jsonl")), HasSubstr("dev-*.jsonl: no file has such a name"));
  EXPECT_THAT(error_of(set("algebra")), HasSubstr("algebra: it is a folder, expected a file, or several as "));
}

}  // namespace
}  // namespace laconic::data

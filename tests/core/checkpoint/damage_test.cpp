// Damaged checkpoints are named, with the reason, and passed over for the one before.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <fstream>
#include <functional>

#include "laconic/core/base/files.h"
#include "tests/core/checkpoint/content.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Damage {
  std::string name;
  std::function<void(const fs::path&)> make;  // of the checkpoint's folder
  std::string expected;
};

// Not written safely: flushing thousands of files to the disk takes long.
void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

void change(const fs::path& file, const std::function<void(std::string&)>& edit) {
  auto bytes = read_file(file);
  edit(bytes);
  write(file, bytes);
}

void change_manifest(const fs::path& checkpoint, const std::function<void(nlohmann::json&)>& edit) {
  change(checkpoint / "manifest.json", [&](std::string& text) {
    auto manifest = nlohmann::json::parse(text);
    edit(manifest);
    text = manifest.dump();
  });
}

// As somebody does who wants it to be believed.
void write_with_sum(const fs::path& checkpoint, const std::string& file, const std::string& bytes) {
  write(checkpoint / file, bytes);
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  change_manifest(checkpoint, [&](nlohmann::json& m) { m["files"][file] = {{"bytes", bytes.size()}, {"crc32", sum}}; });
}

// In place: flipping again restores the file.
void flip(const fs::path& file, size_t at, char bits = 1) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(stream.get() ^ bits);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

std::vector<Damage> damages() {
  std::vector<Damage> all;
  for (const std::string file : {"weights.safetensors", "optimizer.safetensors", "state.json", "rollout.cbor"}) {
    const std::string id = file.substr(0, file.find('.'));
    all.push_back({id + "_missing", [=](const fs::path& p) { fs::remove(p / file); }, file + " is missing"});
    all.push_back({id + "_truncated",
                   [=](const fs::path& p) { fs::resize_file(p / file, fs::file_size(p / file) - 1); }, file + " has "});
    all.push_back({id + "_empty", [=](const fs::path& p) { fs::resize_file(p / file, 0); }, file + " has 0 bytes"});
    all.push_back({id + "_flipped", [=](const fs::path& p) { flip(p / file, fs::file_size(p / file) / 2); },
                   "the checksum of " + file});
    all.push_back(
        {id + "_first_byte", [=](const fs::path& p) { flip(p / file, 0, '\x80'); }, "the checksum of " + file});
    all.push_back({id + "_is_a_folder",
                   [=](const fs::path& p) {
                     fs::remove(p / file);
                     fs::create_directory(p / file);
                   },
                   file + " is no regular file"});
    all.push_back({id + "_unlisted",
                   [=](const fs::path& p) { change_manifest(p, [&](nlohmann::json& m) { m["files"].erase(file); }); },
                   "does not list " + file});
  }
  const auto manifest = [&](const std::string& name, const std::string& text, const std::string& expected) {
    all.push_back({"manifest_" + name, [=](const fs::path& p) { write(p / "manifest.json", text); }, expected});
  };
  manifest("empty", "", "manifest.json is damaged");
  manifest("cut", R"({"format": 1, "step": 2, "up)", "manifest.json is damaged");
  manifest("list", "[]", "manifest.json is damaged");
  manifest("without_files", R"({"format": 1, "step": 2, "update": 0})", "manifest.json is damaged");
  manifest("files_is_a_text", R"({"format": 1, "step": 2, "update": 0, "files": "all"})",
           "files: expected a JSON object, found string");
  manifest("file_is_a_list", R"({"format": 1, "step": 2, "update": 0, "files": {"weights.safetensors": [1]}})",
           "weights.safetensors: expected a JSON object, found array");
  manifest("format", R"({"format": 3, "step": 2, "update": 0, "files": {}})", "its format is 3, expected 1 or 2");
  manifest("of_no_ranks", R"({"format": 2, "ranks": 1, "step": 2, "update": 0, "files": {}})", "1 ranks wrote it");
  manifest("of_other_ranks", R"({"format": 2, "ranks": 2, "step": 2, "update": 0, "files": {}})",
           "does not list weights-00000-of-00002.safetensors");
  manifest("ranks_beyond_int", R"({"format": 2, "ranks": 4294967298, "step": 2, "update": 0, "files": {}})",
           "ranks: 4294967298, expected a whole number");
  manifest("ranks_a_text", R"({"format": 2, "ranks": "two", "step": 2, "update": 0, "files": {}})",
           "ranks: string, expected a whole number");
  for (const auto& [name, from, to] : {std::array{"fraction", "\"step\": 2", "\"step\": 2.9"},
                                       std::array{"negative_step", "\"step\": 2", "\"step\": -2"},
                                       std::array{"negative_bytes", "\"bytes\": ", "\"bytes\": -"},
                                       std::array{"long_sum", "\"crc32\": ", "\"crc32\": 99999999999"}}) {
    all.push_back({std::string("manifest_") + name,
                   [before = std::string(from), after = std::string(to)](const fs::path& p) {
                     change(p / "manifest.json",
                            [&](std::string& text) { text.replace(text.find(before), before.size(), after); });
                   },
                   "expected a whole number"});
  }
  for (const auto& [name, file] :
       {std::array{"parent", "../step-00000001.0000/state.json"}, std::array{"absolute", "/etc/passwd"},
        std::array{"empty_name", ""}, std::array{"itself", "manifest.json"}, std::array{"unknown", "notes.txt"}}) {
    all.push_back({std::string("manifest_lists_") + name,
                   [file = std::string(file)](const fs::path& p) {
                     change_manifest(p, [&](nlohmann::json& m) { m["files"][file] = m["files"]["state.json"]; });
                   },
                   "lists 5 files, 1 of which are none of a checkpoint"});
  }
  all.push_back({"manifest_without_end",
                 [](const fs::path& p) { write(p / "manifest.json", std::string(3000000, '[')); },
                 "its manifest.json is nested more than 200 levels deep"});
  all.push_back({"state_is_a_list", [](const fs::path& p) { write_with_sum(p, "state.json", "[1]"); },
                 "its state.json is damaged: its content: expected a JSON object, found array"});
  all.push_back(
      {"state_nested",
       [](const fs::path& p) { write_with_sum(p, "state.json", std::string(300000, '[') + std::string(300000, ']')); },
       "its state.json is nested more than 200 levels deep"});
  all.push_back({"rollout_nested",
                 [](const fs::path& p) { write_with_sum(p, "rollout.cbor", std::string(3000000, '\x81')); },
                 "its rollout.cbor is nested more than 200 levels deep"});
  all.push_back({"rollout_of_endless_length",
                 [](const fs::path& p) { write_with_sum(p, "rollout.cbor", "\x9b\x7f" + std::string(7, '\xff')); },
                 "its state is damaged"});
  all.push_back({"manifest_is_a_pipe",
                 [](const fs::path& p) {
                   fs::remove(p / "manifest.json");
                   ASSERT_EQ(::mkfifo((p / "manifest.json").c_str(), 0600), 0);
                 },
                 "manifest.json is no regular file"});
  all.push_back({"manifest_links_to_itself",
                 [](const fs::path& p) {
                   fs::remove(p / "manifest.json");
                   fs::create_symlink("manifest.json", p / "manifest.json");
                 },
                 "cannot be read"});
  all.push_back({"links_to_itself",
                 [](const fs::path& p) {
                   fs::remove_all(p);
                   fs::create_directory_symlink(p.filename(), p);
                 },
                 "cannot be read"});
  all.push_back({"links_to_nothing",
                 [](const fs::path& p) {
                   fs::remove_all(p);
                   fs::create_directory_symlink("nowhere", p);
                 },
                 "manifest.json is missing"});
  all.push_back(
      {"manifest_missing", [](const fs::path& p) { fs::remove(p / "manifest.json"); }, "manifest.json is missing"});
  all.push_back({"manifest_of_another",
                 [](const fs::path& p) {
                   change(p / "manifest.json",
                          [](std::string& text) { text.replace(text.find("\"step\": 2"), 9, "\"step\": 3"); });
                 },
                 "says step 3, update 0"});
  all.push_back({"all_gone",
                 [](const fs::path& p) {
                   fs::remove_all(p);
                   fs::create_directory(p);
                 },
                 "manifest.json is missing"});
  return all;
}

// Two checkpoints, written once and copied for each case.
class DamagedCheckpoint : public testing::TestWithParam<Damage> {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<TemporaryFolder>();
    Store store(original_->path(), {3});
    store.save({1, 0}, content_of(1));
    auto content = content_of(2);
    content.rollout = {{"samples", std::string(300, 'x')}};
    store.save({2, 0}, content);
  }
  static void TearDownTestSuite() { original_.reset(); }

  static std::unique_ptr<TemporaryFolder> original_;
};

std::unique_ptr<TemporaryFolder> DamagedCheckpoint::original_;

TEST_P(DamagedCheckpoint, IsNamedAndPassedOver) {
  const TemporaryFolder folder;
  fs::copy(original_->path(), folder.path(), fs::copy_options::recursive);
  const Store store(folder.path(), {3});
  const auto newest = folder / "step-00000002.0000";
  GetParam().make(newest);
  const auto found = find_newest(store);
  ASSERT_EQ(found.passed_over.size(), 1u);
  EXPECT_EQ(found.passed_over[0].first, "step-00000002.0000");
  EXPECT_THAT(found.passed_over[0].second, HasSubstr(GetParam().expected));
  ASSERT_TRUE(found.loaded);
  EXPECT_TRUE(same_content(*found.loaded, content_of(1)));
  EXPECT_THAT(error_of([&] { Store::load(newest); }), HasSubstr(GetParam().expected));
  fs::remove_all(folder / "step-00000001.0000");
  EXPECT_FALSE(find_newest(store).loaded);
  EXPECT_FALSE(store.empty()) << "something is there, though nothing can be loaded";
}

INSTANTIATE_TEST_SUITE_P(Cases, DamagedCheckpoint, testing::ValuesIn(damages()),
                         [](const auto& test) { return test.param.name; });

// Whatever byte of the manifest is hit: the checkpoint is refused, or it loads what was saved.
TEST(DamagedManifest, NeverLoadsAnythingElse) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  auto content = content_of(2, 3);
  content.rollout = {{"samples", {1, 2}}};
  const auto newest = store.save({2, 0}, content);
  const auto bytes = read_file(newest / "manifest.json");
  int loaded = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char bits : {'\1', '\4'}) {
      flip(newest / "manifest.json", at, bits);
      if (const auto found = find_newest(store); found.loaded) {
        ++loaded;
        EXPECT_EQ(found.loaded->position, (Position{2, 0}));
        EXPECT_TRUE(same_content(*found.loaded, content)) << "byte " << at;
      }
      flip(newest / "manifest.json", at, bits);
    }
  }
  EXPECT_LT(loaded, static_cast<int>(bytes.size()) / 2);
}

// The step is made again: what was passed over gives its name to the new one.
TEST(DamagedCheckpoints, ALinkIsReplacedByTheNextOfItsPosition) {
  for (const char* target : {"nowhere", "step-00000002.0000"}) {
    const TemporaryFolder folder;
    Store store(folder.path(), {3});
    store.save({1, 0}, content_of(1));
    fs::create_directory_symlink(target, folder / "step-00000002.0000");
    EXPECT_EQ(find_newest(store).loaded->position, (Position{1, 0}));
    store.save({2, 0}, content_of(2));
    EXPECT_TRUE(same_content(*find_newest(store).loaded, content_of(2)));
  }
}

// It must not be taken for a run without checkpoints, whose rows would be dropped.
TEST(DamagedCheckpoints, SomethingElseInThePlaceOfTheirFolder) {
  const TemporaryFolder folder;
  write(folder / "file", "x");
  fs::create_symlink("loop", folder / "loop");
  fs::create_symlink("nowhere", folder / "nothing");
  for (const char* name : {"file", "loop", "nothing"}) {
    const auto problem = error_of([&] { find_newest(Store(folder / name, {1})); });
    EXPECT_THAT(problem, HasSubstr((folder / name).string()));
    EXPECT_THAT(problem, HasSubstr("folder of the checkpoints"));
  }
}

TEST(DamagedCheckpoints, SeveralInARow) {
  const TemporaryFolder folder;
  Store store(folder.path(), {9});
  for (int64_t step = 1; step <= 5; ++step) store.save({step, 0}, content_of(static_cast<uint64_t>(step)));
  fs::remove(folder / "step-00000005.0000/state.json");
  fs::remove(folder / "step-00000004.0000/manifest.json");
  flip(folder / "step-00000003.0000/weights.safetensors", 40);
  const auto found = find_newest(store);
  ASSERT_EQ(found.passed_over.size(), 3u);
  EXPECT_EQ(found.passed_over[0].first, "step-00000005.0000");
  EXPECT_EQ(found.passed_over[2].first, "step-00000003.0000");
  EXPECT_EQ(found.loaded->position, (Position{2, 0}));
}

}  // namespace
}  // namespace laconic::checkpoint

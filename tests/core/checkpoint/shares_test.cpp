// Checkpoints that several ranks write together: shares, threads as ranks, and what goes wrong on one of them.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "laconic/core/base/files.h"
#include "laconic/core/checkpoint/writer.h"
#include "tests/core/checkpoint/content.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Of each tensor a part that is as large as those of the other ranks or smaller; the record on every rank, as a trainer
// has it.
Content share_of(const Content& whole, const Share& share) {
  Content content = whole;
  for (auto* tensors : {&content.weights, &content.optimizer}) {
    optim::TensorParts parts;
    for (const auto& tensor : *tensors) {
      const int64_t all = tensor.values.numel(), each = (all + share.ranks - 1) / share.ranks;
      const int64_t begin = std::min(all, each * share.rank), end = std::min(all, begin + each);
      if (begin < end)
        parts.emplace_back(tensor.name, tensor.values.view({-1}).narrow(0, begin, end - begin), tensor.sizes, begin);
    }
    *tensors = std::move(parts);
  }
  return content;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// All steps by one caller.
fs::path save_in_shares(const Store& store, const Position& position, const Content& whole, int ranks) {
  store.begin(position);
  auto files = nlohmann::json::object();
  for (int rank = ranks - 1; rank >= 0; --rank)
    files.update(store.write_share(position, {rank, ranks}, share_of(whole, {rank, ranks})));
  return store.commit(position, whole.evaluation, ranks, files);
}

TEST(Shares, MakeUpTheWhole) {
  for (const int ranks : {2, 3, 7, 40}) {  // more ranks than the small tensor has values
    const TemporaryFolder folder;
    const Store store(folder.path(), {1});
    auto content = content_of(1);
    content.evaluation = {{"accuracy", 0.5}};
    const auto written = save_in_shares(store, {3, 0}, content, ranks);
    const auto found = find_newest(store);
    ASSERT_TRUE(found.loaded) << found.passed_over.front().second;
    EXPECT_TRUE(same_content(*found.loaded, content)) << ranks;
    EXPECT_EQ(found.loaded->content.evaluation, content.evaluation);
    EXPECT_EQ(names_in(written).size(), static_cast<size_t>(2 * ranks + 2));
    auto range = at::zeros({40});
    found.loaded->weights.read("model.embed.weight", 11, range);
    EXPECT_TRUE(at::equal(range, content.weights[0].values.view({-1}).narrow(0, 11, 40)));
  }
}

TEST(Shares, AreNoCheckpointBeforeTheManifest) {
  const TemporaryFolder folder;
  const Store store(folder.path(), {2});
  save_in_shares(store, {1, 0}, content_of(1), 2);
  store.begin({2, 0});
  store.write_share({2, 0}, {1, 2}, share_of(content_of(2), {1, 2}));
  const auto found = find_newest(store);
  EXPECT_EQ(found.loaded->position, (Position{1, 0}));
  ASSERT_EQ(found.passed_over.size(), 1u);
  EXPECT_THAT(found.passed_over[0].second, HasSubstr("the run ended while it was written"));
  store.abandon({2, 0});
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000001.0000"));
}

TEST(Shares, DamageOfAnyRankIsNamed) {
  const TemporaryFolder folder;
  const Store store(folder.path(), {2});
  const auto written = save_in_shares(store, {1, 0}, content_of(1), 3);
  const auto reason = [&](const std::string& name, const std::function<void(const fs::path&)>& damage) {
    const TemporaryFolder copy;
    fs::copy(written, copy / written.filename(), fs::copy_options::recursive);
    damage(copy / written.filename() / name);
    return error_of([&] { Store::load(copy / written.filename()); });
  };
  for (const auto* name : {"weights-00000-of-00003.safetensors", "optimizer-00002-of-00003.safetensors"}) {
    EXPECT_THAT(reason(name, [](const fs::path& p) { fs::remove(p); }), HasSubstr(std::string(name) + " is missing"));
    EXPECT_THAT(reason(name, [](const fs::path& p) { fs::resize_file(p, fs::file_size(p) - 1); }),
                HasSubstr(std::string(name) + " has"));
    EXPECT_THAT(reason(name,
                       [](const fs::path& p) {
                         auto bytes = read_file(p);
                         bytes.back() = static_cast<char>(bytes.back() ^ 1);
                         write_file_atomic(p, bytes);
                       }),
                HasSubstr("the checksum of " + std::string(name)));
  }
}

// Files that fit their checksums, but do not belong together.
TEST(Shares, GapsOverlapsAndStrangers) {
  const TemporaryFolder folder;
  const Store store(folder.path(), {9});
  const auto tensor = at::arange(10, at::kFloat);
  const auto part = [&](int64_t begin, int64_t size) {
    return optim::TensorPart("w", tensor.narrow(0, begin, size), {10}, begin);
  };
  const auto problem = [&](const optim::TensorParts& first, const optim::TensorParts& second) {
    write_parts(folder / "0", first);
    write_parts(folder / "1", second);
    return error_of([&] { TensorFiles::of_parts({folder / "0", folder / "1"}); });
  };
  EXPECT_EQ(problem({part(0, 4)}, {part(4, 6)}), "");
  EXPECT_EQ(problem({part(4, 6)}, {part(0, 4)}), "");
  EXPECT_THAT(problem({part(0, 4)}, {part(5, 5)}), HasSubstr("w: its parts leave a gap or overlap at value 5"));
  EXPECT_THAT(problem({part(0, 4)}, {part(3, 7)}), HasSubstr("at value 3: expected one from 4 on"));
  EXPECT_THAT(problem({part(0, 4)}, {part(4, 5)}), HasSubstr("its parts have 9 values, expected 10"));
  EXPECT_THAT(problem({part(0, 4)}, {{"w", tensor.narrow(0, 4, 6), {5, 2}, 4}}), HasSubstr("another shape or dtype"));
  EXPECT_THAT(problem({part(0, 4)}, {{"w", tensor.narrow(0, 4, 6).to(at::kBFloat16), {10}, 4}}),
              HasSubstr("another shape or dtype"));
  write_whole(folder / "0", {part(0, 10)});
  EXPECT_THAT(error_of([&] { TensorFiles::of_parts({folder / "0"}); }), HasSubstr("lacks the sizes"));
  model::write_safetensors(folder / "0", {{"w@-1", tensor}}, {{"sizes", R"({"w": [10]})"}});
  EXPECT_THAT(error_of([&] { TensorFiles::of_parts({folder / "0"}); }), HasSubstr("expected NAME@BEGIN"));
  model::write_safetensors(folder / "0", {{"v@0", tensor}}, {{"sizes", R"({"w": [10]})"}});
  EXPECT_THAT(error_of([&] { TensorFiles::of_parts({folder / "0"}); }), HasSubstr("lacks the sizes of v"));
}

// Threads that exchange texts as ranks do.
class Meeting {
 public:
  explicit Meeting(int ranks) : texts_(static_cast<size_t>(ranks)), barrier_(ranks) {}
  Company company(int rank) {
    return {rank, static_cast<int>(texts_.size()), [this, rank](const std::string& mine) {
              texts_[static_cast<size_t>(rank)] = mine;
              barrier_.arrive_and_wait();
              auto all = texts_;
              barrier_.arrive_and_wait();
              return all;
            }};
  }
  // What `body` threw on each rank.
  std::vector<std::string> run(const std::function<void(const Company&)>& body) {
    std::vector<std::string> errors(texts_.size());
    std::vector<std::thread> threads;
    threads.reserve(texts_.size());
    for (int rank = 0; rank < static_cast<int>(texts_.size()); ++rank) {
      threads.emplace_back([&, rank] { errors[static_cast<size_t>(rank)] = error_of([&] { body(company(rank)); }); });
    }
    for (auto& thread : threads) thread.join();
    return errors;
  }

 private:
  std::vector<std::string> texts_;
  std::barrier<> barrier_;
};

Store::BeforeManifest failing(ErrorKind kind = ErrorKind::io) {
  return [kind](const fs::path&) { fail(kind, "the disk says no"); };
}

TEST(SharedWriter, WritesWhatWasThereAtTheCall) {
  for (const bool asynchronous : {false, true}) {
    const TemporaryFolder folder;
    const auto errors = Meeting(3).run([&](const Company& company) {
      Writer writer(Store(folder.path(), {9}), {asynchronous, OnError::fail, true}, company);
      for (uint64_t i = 1; i <= 3; ++i) {
        auto content = share_of(content_of(i, 5000), {company.rank, company.ranks});
        writer.save({static_cast<int64_t>(i), 0}, content);
        for (auto* tensors : {&content.weights, &content.optimizer})
          for (auto& part : *tensors) part.values.fill_(7);  // training goes on
        writer.poll();
      }
      writer.finish();
      EXPECT_EQ(writer.newest(), (Position{3, 0}));
    });
    EXPECT_THAT(errors, testing::Each(""));
    for (uint64_t i = 1; i <= 3; ++i)
      EXPECT_TRUE(same_content(Store::load(folder / fmt::format("step-{:08}.0000", i)), content_of(i, 5000)));
  }
}

TEST(SharedWriter, AFailureOfAnyRankIsThatOfAll) {
  for (const bool asynchronous : {false, true}) {
    for (int failed = 0; failed < 3; ++failed) {
      const TemporaryFolder folder;
      const auto errors = Meeting(3).run([&](const Company& company) {
        Writer writer(Store(folder.path(), {9}), {asynchronous, OnError::fail, true}, company);
        const Share share{company.rank, company.ranks};
        writer.save({1, 0}, share_of(content_of(1), share));
        writer.save({2, 0}, share_of(content_of(2), share),
                    company.rank == failed ? failing() : Store::BeforeManifest());
        for (;;) {  // until it is known
          writer.poll();
          std::this_thread::yield();
        }
      });
      EXPECT_THAT(errors, testing::Each(HasSubstr(fmt::format("rank {}: the disk says no", failed))));
      EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000001.0000"));
    }
  }
}

TEST(SharedWriter, TheRanksMayGoOnWithoutIt) {
  for (const bool asynchronous : {false, true}) {
    const TemporaryFolder folder;
    const auto errors = Meeting(2).run([&](const Company& company) {
      Writer writer(Store(folder.path(), {9}), {asynchronous, OnError::go_on, true}, company);
      for (int64_t step = 1; step <= 4; ++step) {
        writer.save({step, 0}, share_of(content_of(1), {company.rank, 2}),
                    step % 2 == 0 && company.rank == 1 ? failing() : Store::BeforeManifest());
      }
      writer.finish();
      EXPECT_EQ(writer.failures(), 2);
      EXPECT_EQ(writer.newest(), (Position{3, 0}));
    });
    EXPECT_THAT(errors, testing::Each(""));
    EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000001.0000", "step-00000003.0000"));
  }
}

TEST(SharedWriter, AMistakeOfOneRankEndsAllInAnyCase) {
  const TemporaryFolder folder;
  const auto errors = Meeting(2).run([&](const Company& company) {
    Writer writer(Store(folder.path(), {9}), {true, OnError::go_on, true}, company);
    writer.save({1, 0}, share_of(content_of(1), {company.rank, 2}),
                failing(company.rank == 0 ? ErrorKind::io : ErrorKind::internal));
    writer.finish();
  });
  EXPECT_THAT(errors, testing::Each(AllOf(HasSubstr("rank 0: the disk"), HasSubstr("rank 1: the disk"))));
}

TEST(SharedWriter, AFolderThatCannotBeMade) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "checkpoints", "a file");
  const auto errors = Meeting(2).run([&](const Company& company) {
    Writer writer(Store(folder / "checkpoints", {9}), {true, OnError::fail, true}, company);
    writer.save({1, 0}, share_of(content_of(1), {company.rank, 2}));
  });
  EXPECT_THAT(errors, testing::Each(AllOf(HasSubstr("rank 0: "), HasSubstr("checkpoints"))));
}

// Rank 0 alone writes; the others hear of it.
TEST(SharedWriter, OneMayWriteForAll) {
  const TemporaryFolder folder;
  const auto errors = Meeting(2).run([&](const Company& company) {
    Writer writer(Store(folder.path(), {9}), {true, OnError::fail, false}, company);
    writer.save({1, 0}, company.rank == 0 ? content_of(1) : Content());
    writer.save({2, 0}, company.rank == 0 ? content_of(2) : Content(), company.rank == 0 ? failing() : nullptr);
    writer.finish();
  });
  EXPECT_THAT(errors, testing::Each(HasSubstr("rank 0: the disk says no")));
  EXPECT_THAT(names_in(folder / "step-00000001.0000"),
              ElementsAre("manifest.json", "optimizer.safetensors", "state.json", "weights.safetensors"));
}

}  // namespace
}  // namespace laconic::checkpoint

// The sampling kernel against the CPU's sampler: the same draws for the same identity.
#include <gtest/gtest.h>

#include <optional>

#include "laconic/core/ops/sampler.h"
#include "laconic/cuda/kernels/kernels.h"
#include "tests/core/ops/sampler_reference.h"
#include "tests/cuda/device.h"
#include "tests/cuda/values.h"

namespace laconic::cuda {
namespace {

constexpr float kInf = HUGE_VALF;

SampleRow row_of(const ops::SamplingParams& p, const DrawIdentity& who) {
  const uint64_t key = mix_key({who.seed, static_cast<uint64_t>(DrawPurpose::sample_token), who.step});
  return {.who = {key, who.prompt, who.sample},
          .inverse_temperature = p.temperature > 0 ? static_cast<float>(1.0 / p.temperature) : 0.0f,
          .top_k = p.top_k,
          .top_p = p.top_p,
          .min_p = p.min_p};
}

template <typename T>
std::vector<ops::DrawnToken> run(const std::vector<float>& logits, int64_t vocab, const std::vector<SampleRow>& params,
                                 const std::vector<uint32_t>& positions, const std::vector<int64_t>* given = nullptr) {
  const size_t rows = params.size();
  DeviceArray<T> x(as_elements<T>(logits));
  DeviceArray<SampleRow> p(params);
  DeviceArray<uint32_t> at(positions);
  DeviceArray<int64_t> ids(rows), fixed(given == nullptr ? std::vector<int64_t>(rows, -1) : *given);
  DeviceArray<float> logprob(rows), entropy(rows);
  DeviceArray<uint8_t> finite(rows);
  launch(SampleArgs{.element = element_of<T>(),
                    .logits = x.data(),
                    .params = p.data(),
                    .positions = at.data(),
                    .given = given == nullptr ? nullptr : fixed.data(),
                    .ids = ids.data(),
                    .logprob = logprob.data(),
                    .entropy = entropy.data(),
                    .finite = finite.data(),
                    .rows = static_cast<int64_t>(rows),
                    .vocab = vocab},
         nullptr);
  std::vector<ops::DrawnToken> tokens;
  const auto i = ids.values();
  const auto l = logprob.values(), e = entropy.values();
  const auto f = finite.values();
  for (size_t r = 0; r < rows; ++r) tokens.push_back({static_cast<int32_t>(i[r]), l[r], e[r], f[r] != 0});
  return tokens;
}

void expect_close(float found, float expected, double tolerance) {
  EXPECT_LT(worst_difference({found}, {expected}), tolerance) << found << " instead of " << expected;
}

// One row per position, all of one distribution.
template <typename T>
void compare(int64_t vocab, const ops::SamplingParams& params, const std::string& name, double spread, int64_t rows) {
  const DrawIdentity who{77, 5, uint64_t{3} << 33, 9};
  std::vector<float> logits;
  std::vector<SampleRow> row_params;
  std::vector<uint32_t> positions;
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = as_floats(as_elements<T>(ops::random_logits(vocab, static_cast<uint64_t>(r + vocab), spread)));
    logits.insert(logits.end(), row.begin(), row.end());
    row_params.push_back(row_of(params, who));
    positions.push_back(static_cast<uint32_t>(1000 + r));
  }
  std::vector<int32_t> first;
  for_each_run([&] {
    const auto tokens = run<T>(logits, vocab, row_params, positions);
    ops::SamplerScratch scratch;
    std::vector<int32_t> ids;
    for (int64_t r = 0; r < rows; ++r) {
      const auto& found = tokens[static_cast<size_t>(r)];
      const double u = uniform_draw(who, DrawPurpose::sample_token, positions[static_cast<size_t>(r)]);
      const auto expected = ops::sample_token(logits.data() + r * vocab, vocab, params, u, true, scratch);
      EXPECT_EQ(found.id, expected.id) << name << " of " << vocab << ", row " << r;
      expect_close(found.logprob, expected.logprob, 1e-5);
      expect_close(found.entropy, expected.entropy, 1e-5);
      EXPECT_TRUE(found.finite);
      ids.push_back(found.id);
    }
    if (first.empty()) first = ids;
    EXPECT_EQ(ids, first) << "depends on the order of the threads";
  });
}

TEST(SampleKernel, SameDrawsAsTheCpu) {
  for (const int64_t vocab : {1, 2, 31, 33, 300, 1500, 4099}) {
    for (const auto& c : ops::sampling_cases()) compare<float>(vocab, c.params, c.name, 2.0, vocab > 1000 ? 2 : 6);
    compare<float>(vocab, {.temperature = 0}, "greedy", 2.0, 3);
  }
}

TEST(SampleKernel, SameDrawsFromBf16) {
  // Many equal logits: ties are resolved by id.
  for (const auto& c : ops::sampling_cases()) compare<Bf16>(300, c.params, c.name, 1.0, 6);
  compare<Bf16>(300, {.temperature = 0}, "greedy", 0.01, 3);
}

TEST(SampleKernel, RowsHaveTheirOwnParametersAndIdentity) {
  const int64_t vocab = 257;
  const auto& cases = ops::sampling_cases();
  std::vector<float> logits;
  std::vector<SampleRow> params;
  std::vector<uint32_t> positions;
  std::vector<ops::DrawnToken> expected;
  ops::SamplerScratch scratch;
  for (size_t i = 0; i < 3 * cases.size(); ++i) {
    const DrawIdentity who{i % 2, i % 3, i * 1000003, static_cast<uint32_t>(i)};
    const auto& p = cases[i % cases.size()].params;
    const auto row = ops::random_logits(vocab, i, 2.0);
    logits.insert(logits.end(), row.begin(), row.end());
    params.push_back(row_of(p, who));
    positions.push_back(static_cast<uint32_t>(i * i));
    expected.push_back(ops::sample_token(
        row.data(), vocab, p, laconic::uniform_draw(who, DrawPurpose::sample_token, positions.back()), true, scratch));
  }
  const auto found = run<float>(logits, vocab, params, positions);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].id, expected[i].id) << i;
}

TEST(SampleKernel, GivenTokensAreScored) {
  const int64_t vocab = 90;
  ops::SamplerScratch scratch;
  for (const auto& c : ops::sampling_cases()) {
    const auto row = ops::random_logits(vocab, 4, 2.0);
    std::vector<float> logits;
    std::vector<int64_t> given;
    for (int64_t id = 0; id < vocab; ++id) {
      logits.insert(logits.end(), row.begin(), row.end());
      given.push_back(id);
    }
    const auto found = run<float>(logits, vocab, std::vector<SampleRow>(given.size(), row_of(c.params, {})),
                                  std::vector<uint32_t>(given.size()), &given);
    for (int32_t id = 0; id < vocab; ++id) {
      const auto expected = ops::score_token(row.data(), vocab, c.params, id, true, scratch);
      EXPECT_EQ(found[static_cast<size_t>(id)].id, id);
      expect_close(found[static_cast<size_t>(id)].logprob, expected.logprob, 1e-5);
    }
  }
}

TEST(SampleKernel, DamagedAndExtremeRows) {
  const int64_t vocab = 600;
  const std::vector<ops::SamplingParams> all = {{1.0}, {0.0}, {0.7, 50, 0.9, 0.01}};
  for (const auto& p : all) {
    const auto draw = [&](const std::vector<float>& row) { return run<float>(row, vocab, {row_of(p, {})}, {3})[0]; };
    for (const float bad : {std::nanf(""), kInf}) {
      for (const size_t at : {size_t{0}, size_t{599}}) {
        std::vector<float> row(600, 0.5f);
        row[at] = bad;
        EXPECT_FALSE(draw(row).finite);
      }
    }
    EXPECT_FALSE(draw(std::vector<float>(600, -kInf)).finite);
    for (const size_t at : {size_t{0}, size_t{255}, size_t{599}}) {
      for (const float rest : {-1000.0f, -kInf}) {
        std::vector<float> row(600, rest);
        row[at] = 100.0f;
        const auto token = draw(row);
        EXPECT_EQ(token.id, static_cast<int32_t>(at));
        EXPECT_EQ(token.logprob, 0.0f);
        EXPECT_EQ(token.entropy, 0.0f);
      }
    }
  }
}

// Flat distributions: what top-p keeps is counted exactly, and minus zero is zero.
TEST(SampleKernel, Ties) {
  std::vector<float> flat(1000, 0.0f);
  for (size_t i = 0; i < flat.size(); i += 2) flat[i] = -0.0f;
  for (const double top_p : {0.01, 0.5, 0.999}) {
    std::vector<int64_t> given;
    std::vector<float> logits;
    for (int64_t id = 0; id < 1000; id += 37) {
      given.push_back(id);
      logits.insert(logits.end(), flat.begin(), flat.end());
    }
    const auto found = run<float>(logits, 1000, std::vector<SampleRow>(given.size(), row_of({1.0, 0, top_p}, {})),
                                  std::vector<uint32_t>(given.size()), &given);
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(std::isfinite(found[i].logprob), static_cast<double>(given[i]) < 1000 * top_p) << given[i];
  }
}

}  // namespace
}  // namespace laconic::cuda

// Rotary embedding with append, and paged decoding, against the CPU's rotate_into and paged_attention_into on the same
// cache.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/ops/rotary.h"
#include "laconic/cuda/kernels/kernels.h"
#include "tests/cuda/device.h"
#include "tests/cuda/values.h"

namespace laconic::cuda {
namespace {

struct Case {
  ops::HeadShape shape;
  bool norms;
};

at::Tensor tensor(const std::vector<float>& values, at::IntArrayRef sizes) {
  return at::tensor(values).reshape(sizes).contiguous();
}

std::vector<float> floats(const at::Tensor& t) {
  const auto flat = t.to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

// Sequences of several lengths, the last tokens of which are rows of one step, and one idle row.
template <typename T>
class Step {
 public:
  Step(const Case& c, std::vector<int64_t> contexts) : case_(c), contexts_(std::move(contexts)) {
    const auto& s = c.shape;
    max_pages_ = 0;
    for (int64_t context : contexts_) max_pages_ = std::max(max_pages_, context / kPageTokens + 1);
    pages_ = max_pages_ * count() + 1;
    while (pages_ % 7 == 0) ++pages_;  // the order below takes each page once
    // Pages lie in an order of their own; entries behind the last one of a sequence are no pages.
    table_.assign(static_cast<size_t>(max_pages_ * count()), -1);
    int64_t next = 0;
    for (int64_t i = 0; i < count(); ++i) {
      for (int64_t p = 0; p <= contexts_[static_cast<size_t>(i)] / kPageTokens; ++p)
        table_[static_cast<size_t>(i * max_pages_ + p)] = static_cast<int32_t>((next++ * 7 + 3) % pages_);
    }
    keys_ = element_values<T>(pages_ * s.kv_heads * s.head_dim * kPageTokens, 1);
    values_ = element_values<T>(pages_ * s.kv_heads * s.head_dim * kPageTokens, 2);
    qkv_ = element_values<T>((count() + 1) * s.qkv_width(), 3);
    q_norm_ = element_values<T>(s.head_dim, 4);
    k_norm_ = element_values<T>(s.head_dim, 5);
    const int64_t longest = *std::max_element(contexts_.begin(), contexts_.end());
    const auto angles = normal_values((longest + 1) * s.head_dim / 2, 6, 3.0);
    const auto a = tensor(angles, {longest + 1, s.head_dim / 2});
    rope_ = floats(at::cat({a.cos(), a.sin()}, 1));
  }

  void expect_agreement() {
    run_reference();
    std::vector<float> first;
    for_each_run([&] {
      const auto out = run();
      if (first.empty()) first = out;
      EXPECT_EQ(out, first) << "depends on the order of the threads";
    });
  }

  // The output of each row alone has the same bits as in the batch.
  void expect_batch_invariance() {
    run_reference();
    const auto together = run();
    const auto contexts = contexts_;
    const int64_t width = case_.shape.out_width();
    for (int64_t i = 0; i < count(); ++i) {
      const auto alone = run_row(i);
      EXPECT_EQ(alone, std::vector<float>(together.begin() + i * width, together.begin() + (i + 1) * width)) << i;
    }
  }

 private:
  int64_t count() const { return static_cast<int64_t>(contexts_.size()); }

  void run_reference() {
    const auto& s = case_.shape;
    ops::Rotation rotation;
    rotation.positions = at::tensor(contexts_, at::kLong);
    rotation.table = tensor(rope_, {-1, s.head_dim});
    rotation.norm_epsilon = 1e-6;
    if (case_.norms) {
      rotation.q_norm = tensor(q_norm_, {s.head_dim});
      rotation.k_norm = tensor(k_norm_, {s.head_dim});
    }
    auto qkv = tensor(qkv_, {count() + 1, s.qkv_width()}).narrow(0, 0, count()).clone();
    ops::rotate_into(qkv, s, rotation, qkv);
    // As the element type stores it.
    rotated_ = element_rounded(floats(qkv));
    qkv = tensor(rotated_, {count(), s.qkv_width()});
    ops::KvPages cache{tensor(keys_, {pages_, s.kv_heads, s.head_dim, kPageTokens}),
                       tensor(values_, {pages_, s.kv_heads, kPageTokens, s.head_dim})};
    std::vector<ops::PagedSpan> spans;
    for (int64_t i = 0; i < count(); ++i)
      spans.push_back({i, 1, contexts_[static_cast<size_t>(i)], table_.data() + i * max_pages_});
    auto out = at::empty({count(), s.out_width()});
    ops::paged_attention_into(qkv, spans, s, cache, out);
    expected_ = floats(out);
    expected_keys_ = floats(cache.keys);
    expected_values_ = floats(cache.values);
  }

  static std::vector<float> element_rounded(const std::vector<float>& values) {
    return as_floats(as_elements<T>(values));
  }

  std::vector<float> run() {
    const auto& s = case_.shape;
    const int64_t rows = count() + 1;
    DeviceArray<T> qkv(as_elements<T>(qkv_)), keys(as_elements<T>(keys_)), values(as_elements<T>(values_));
    DeviceArray<T> q_norm(as_elements<T>(q_norm_)), k_norm(as_elements<T>(k_norm_));
    DeviceArray<float> rope(rope_);
    DeviceArray<int32_t> table(table_);
    auto positions_in = contexts_;
    positions_in.push_back(-1);
    DeviceArray<int64_t> positions(positions_in);
    const Heads heads{s.heads, s.kv_heads, s.head_dim};
    const PagedCache cache{keys.data(), values.data(), table.data(), max_pages_, nullptr, positions.data()};
    launch(RotateAppendArgs{.element = element_of<T>(),
                            .qkv = qkv.data(),
                            .table = rope.data(),
                            .q_norm = case_.norms ? q_norm.data() : nullptr,
                            .k_norm = case_.norms ? k_norm.data() : nullptr,
                            .norm_epsilon = 1e-6f,
                            .cache = cache,
                            .shape = heads,
                            .rows = rows},
           nullptr);
    auto rotated = as_floats(qkv.values());
    EXPECT_EQ(std::vector<float>(rotated.end() - s.qkv_width(), rotated.end()),
              std::vector<float>(qkv_.end() - s.qkv_width(), qkv_.end()))
        << "an idle row was touched";
    rotated.resize(rotated_.size());
    EXPECT_LT(worst_difference(rotated, rotated_), 2 * rounding<T>());
    EXPECT_LT(worst_difference(as_floats(keys.values()), expected_keys_), 2 * rounding<T>());
    EXPECT_EQ(as_floats(values.values()), expected_values_);

    const int64_t splits = *std::max_element(contexts_.begin(), contexts_.end()) / kSplitTokens + 1;
    const auto out = attend(qkv.data(), cache, rows, splits);
    const size_t live = static_cast<size_t>(count() * s.out_width());
    EXPECT_EQ(std::vector<float>(out.begin() + static_cast<std::ptrdiff_t>(live), out.end()),
              std::vector<float>(out.size() - live, 0.0f));
    std::vector<float> result(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(live));
    EXPECT_LT(worst_difference(result, expected_), sizeof(T) == 2 ? 0x1.0p-7 : 1e-5);
    return result;
  }

  std::vector<float> attend(T* qkv, const PagedCache& cache, int64_t rows, int64_t splits) {
    const auto& s = case_.shape;
    const Heads heads{s.heads, s.kv_heads, s.head_dim};
    DeviceArray<T> out(static_cast<size_t>(rows * s.out_width()), rounded<T>(7.0f));
    DeviceArray<float> partial(static_cast<size_t>(partial_values(rows, splits, heads)), NAN);
    launch(PagedDecodeArgs{.element = element_of<T>(),
                           .q = qkv,
                           .q_stride = s.qkv_width(),
                           .cache = cache,
                           .shape = heads,
                           .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(s.head_dim))),
                           .partial = partial.data(),
                           .splits = splits,
                           .out = out.data(),
                           .rows = rows},
           nullptr);
    return as_floats(out.values());
  }

  // Row i as the only one of a step, through `sequence`, and with more splits than it needs.
  std::vector<float> run_row(int64_t i) {
    const auto& s = case_.shape;
    DeviceArray<T> keys(as_elements<T>(expected_keys_)), values(as_elements<T>(expected_values_));
    DeviceArray<T> qkv(as_elements<T>(
        std::vector<float>(rotated_.begin() + i * s.qkv_width(), rotated_.begin() + (i + 1) * s.qkv_width())));
    DeviceArray<int32_t> table(table_), sequence(std::vector<int32_t>{static_cast<int32_t>(i)});
    DeviceArray<int64_t> positions(std::vector<int64_t>{contexts_[static_cast<size_t>(i)]});
    const PagedCache cache{keys.data(), values.data(), table.data(), max_pages_, sequence.data(), positions.data()};
    return attend(qkv.data(), cache, 1, 5);
  }

  Case case_;
  std::vector<int64_t> contexts_;
  int64_t max_pages_ = 0, pages_ = 0;
  std::vector<int32_t> table_;
  std::vector<float> keys_, values_, qkv_, q_norm_, k_norm_, rope_;
  std::vector<float> rotated_, expected_, expected_keys_, expected_values_;
};

class AttentionKernels : public testing::TestWithParam<Case> {};

// The rotation alone, without a cache, and back.
TEST_P(AttentionKernels, RotationForwardsAndBackwards) {
  const auto& s = GetParam().shape;
  const int64_t rows = 5;
  const auto qkv = normal_values(rows * s.qkv_width(), 1);
  const auto a = tensor(normal_values(9 * s.head_dim / 2, 2, 3.0), {9, s.head_dim / 2});
  const std::vector<int64_t> places = {8, 0, 3, 3, 1};
  ops::Rotation rotation{at::tensor(places, at::kLong), at::cat({a.cos(), a.sin()}, 1).contiguous(), {}, {}, 1e-6};
  std::vector<float> q_norm = normal_values(s.head_dim, 3), k_norm = normal_values(s.head_dim, 4);
  if (GetParam().norms) {
    rotation.q_norm = tensor(q_norm, {s.head_dim});
    rotation.k_norm = tensor(k_norm, {s.head_dim});
  }
  auto expected = tensor(qkv, {rows, s.qkv_width()}), back = expected.clone();
  ops::rotate_into(expected, s, rotation, expected);
  ops::Rotation plain = rotation;
  plain.q_norm = plain.k_norm = at::Tensor();
  ops::rotate_backward_(back, back, s, plain, nullptr, nullptr);
  for_each_run([&] {
    DeviceArray<float> x(qkv), d(qkv), table(floats(rotation.table)), q(q_norm), k(k_norm);
    DeviceArray<int64_t> positions(places);
    RotateAppendArgs args{.qkv = x.data(),
                          .table = table.data(),
                          .q_norm = GetParam().norms ? q.data() : nullptr,
                          .k_norm = GetParam().norms ? k.data() : nullptr,
                          .norm_epsilon = 1e-6f,
                          .cache = {.positions = positions.data()},
                          .shape = {s.heads, s.kv_heads, s.head_dim},
                          .rows = rows};
    launch(args, nullptr);
    EXPECT_LT(worst_difference(x.values(), floats(expected)), 1e-5);
    args.qkv = d.data();
    args.q_norm = args.k_norm = nullptr;
    args.direction = -1;
    launch(args, nullptr);
    EXPECT_LT(worst_difference(d.values(), floats(back)), 1e-5);
  });
}

TEST_P(AttentionKernels, AgreeWithTheCpu) {
  for (const auto& contexts : std::vector<std::vector<int64_t>>{{0}, {31, 32, 33}, {5, 700, 127, 128}}) {
    Step<float>(GetParam(), contexts).expect_agreement();
    Step<Bf16>(GetParam(), contexts).expect_agreement();
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionKernels,
                         testing::Values(Case{{1, 1, 2}, false}, Case{{4, 2, 48}, false}, Case{{14, 2, 64}, false},
                                         Case{{3, 3, 80}, true}, Case{{6, 2, 128}, true}, Case{{9, 1, 24}, true},
                                         Case{{8, 1, 256}, false}),
                         [](const auto& test) {
                           const auto& s = test.param.shape;
                           return "q" + std::to_string(s.heads) + "_kv" + std::to_string(s.kv_heads) + "_d" +
                                  std::to_string(s.head_dim);
                         });

TEST(PagedDecode, ARowDoesNotDependOnItsBatch) {
  Step<float>({{4, 2, 16}, false}, {3, 511, 512, 1100}).expect_batch_invariance();
  Step<float>({{12, 1, 32}, false}, {40, 513}).expect_batch_invariance();
}

}  // namespace
}  // namespace laconic::cuda

#include "laconic/core/optim/tensor_parts.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::optim {
namespace {

using testing::HasSubstr;

class TwoTensors final : public TensorSource {
 public:
  std::vector<std::string> names() const override { return {"a", "b"}; }
  std::vector<int64_t> sizes(const std::string& name) const override { return of(name).sizes().vec(); }
  at::ScalarType dtype(const std::string& name) const override { return of(name).scalar_type(); }
  void read(const std::string& name, int64_t begin, const at::Tensor& target) const override {
    target.copy_(of(name).view({-1}).narrow(0, begin, target.numel()));
  }

 private:
  static at::Tensor of(const std::string& name) {
    return name == "a" ? normal_tensor({2, 3}, 1) : normal_tensor({4}, 2).to(at::kBFloat16);
  }
};

TEST(TensorSource, GivesWholeTensors) {
  EXPECT_TRUE(at::equal(TwoTensors().whole("a"), normal_tensor({2, 3}, 1)));
  EXPECT_EQ(TwoTensors().whole("b").scalar_type(), at::kBFloat16);
}

TEST(TensorSource, WhatDoesNotFitIsNamed) {
  const auto problem = [](const std::vector<ExpectedTensor>& expected) {
    return error_of([&] { check_holds(TwoTensors(), expected, "weights"); });
  };
  const ExpectedTensor a = {"a", {2, 3}, at::kFloat}, b = {"b", {4}, at::kBFloat16};
  EXPECT_EQ(problem({a, b}), "");
  EXPECT_THAT(problem({a, b, {"c", {1}, at::kFloat}}), HasSubstr("the weights lack c"));
  EXPECT_THAT(problem({a}), HasSubstr("the weights hold b"));
  EXPECT_THAT(problem({{"a", {3, 2}, at::kFloat}, b}), HasSubstr("the shape [2, 3], expected [3, 2]"));
  EXPECT_THAT(problem({a, {"b", {4}, at::kFloat}}), HasSubstr("is BFloat16, expected Float"));
}

TEST(TensorPart, AWholeTensorIsAPart) {
  const TensorPart whole("w", at::ones({2, 3}));
  EXPECT_EQ(whole.sizes, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(whole.begin, 0);
}

}  // namespace
}  // namespace laconic::optim

// Where tests find material that is not part of the repository: LACONIC_TEST_DATA, else ../shared/data beside the
// project.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace laconic {

// The path of `relative` below the test-data folder, or nothing where it is absent (the test then skips, saying so).
inline std::optional<std::filesystem::path> test_data(std::string_view relative) {
  const char* set = std::getenv("LACONIC_TEST_DATA");
  const std::filesystem::path root = set != nullptr
                                         ? std::filesystem::path(set)
                                         : std::filesystem::path(LACONIC_SOURCE_DIR) / ".." / "shared" / "data";
  const auto path = root / relative;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

}  // namespace laconic

// Use in a test body: const auto path = LACONIC_TEST_DATA_OR_SKIP("math/gsm8k_test.jsonl.gz");
#define LACONIC_TEST_DATA_OR_SKIP(relative)                                           \
  [&] { return ::laconic::test_data(relative).value_or(std::filesystem::path()); }(); \
  if (!::laconic::test_data(relative))                                                \
  GTEST_SKIP() << "test data " << (relative) << " is absent (set LACONIC_TEST_DATA)"

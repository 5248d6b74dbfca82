// Streams of the draws of procedural data. Numbers are part of the reproducibility contract: never reuse or renumber.
#pragma once

#include <cstdint>

namespace laconic::data {

inline constexpr uint64_t kCountdownStream = 4;  // 1 to 3: the chain task
inline constexpr uint64_t kGame24Stream = 5;
inline constexpr uint64_t kSudokuStream = 6;
inline constexpr uint64_t kAlphameticStream = 7;

}  // namespace laconic::data

// Detectors of repetition on token ids.
#pragma once

#include <cstdint>
#include <span>

namespace laconic::algorithms {

// The rule of LASER's released code. An n-gram (n = 2 below 30 tokens, 3 below 100, else 4; those of one repeated token
// are skipped when n > 2) that occurs twice (three times from 200 tokens on) with two consecutive occurrences closer
// than a third of the length; or any 2n-gram that occurs twice. Texts of up to 8 tokens never repeat. It fires on most
// natural text of a thousand tokens.
bool repeats_ngrams(std::span<const int32_t> ids);

// A loop: a block of at most 256 tokens that stands four times in a row, 16 tokens or more in all.
bool has_loop(std::span<const int32_t> ids);

}  // namespace laconic::algorithms

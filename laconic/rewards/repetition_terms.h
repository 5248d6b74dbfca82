// Repetition terms of a reward.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace laconic::rewards {

// max_penalty * (1 - distinct n-grams / n-grams): 0 without repetition, towards max_penalty (<= 0) for a loop. 0 for
// texts of fewer than n tokens or words. The words are those between white space, in lower case.
double repetition_penalty(std::span<const int32_t> tokens, int n, double max_penalty);
double repetition_penalty(std::string_view text, int n, double max_penalty);

// One value per token (arXiv 2502.03373): `penalty` for every token of an n-gram that stood in the response before, 0
// for the others.
std::vector<double> repeated_tokens(std::span<const int32_t> tokens, int n, double penalty);

}  // namespace laconic::rewards

// A small run of everything that a run on the CPU needs: sampling, the forward pass, the chunked head.
#pragma once

#include <string>

namespace laconic::cli {

// A random model draws a few tokens and scores them again. Returns one line that says so; numbers that are not what
// they must be are an Error.
std::string self_test();

}  // namespace laconic::cli

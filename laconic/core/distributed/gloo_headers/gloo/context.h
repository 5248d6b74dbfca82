// The few declarations of Gloo that LibTorch 2.11's ProcessGroupGloo.hpp names. The wheel has the compiled Gloo inside
// of libtorch_cpu, but not its headers. Only pointers to these types occur there, so that declarations are enough; an
// object of one of them must never be made here.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo

// Any exception as a kind and a message that a person can read.
#pragma once

#include <string>

#include "laconic/core/base/error.h"

namespace laconic::cli {

struct Problem {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
};

// What is being handled now; call inside of a catch block. LibTorch's errors lose their C++ backtrace, memory that
// cannot be had is said in words, and anything unknown is internal.
Problem current_problem();

// Runs `load`, which makes something of the value of an option. What goes wrong there is the argument's fault, an Error
// of kind usage that begins with the option: "--model /x: there is no config.json".
template <typename Load>
auto from_argument(const std::string& option, const std::string& value, const Load& load) {
  try {
    return load();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    fail(ErrorKind::usage, "{} {}: {}", option, value, error.what());
  }
}

}  // namespace laconic::cli

// What a piece of code complains about.
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

#include "laconic/core/base/error.h"

namespace laconic {

// The message of the Error that `work` throws; "" when it throws none. Any other exception is a failure of the test: a
// library that lets one out has missed a case.
template <typename Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "an exception that is no laconic::Error: " << error.what();
    return error.what();
  }
  return "";
}

}  // namespace laconic

// Errors that end an operation: what a user did or gave, said in one readable paragraph.
//
// Library code throws laconic::Error at its borders (config, files, user input) and never exits or aborts.
// LACONIC_CHECK is for mistakes of the programmer and for invariants; it throws as well, with file and line.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace laconic {

// The kinds decide the exit status of the program and the "kind" field of a filter's error line.
enum class ErrorKind {
  usage,        // an unusable argument or configuration: exit status 2
  input,        // a bad file, line, tensor or value that was given: exit status 1
  unsupported,  // valid, but laconic cannot do it: exit status 1
  io,           // the operating system refused: exit status 1
  numeric,      // a non-finite loss, gradient, weight or reward: exit status 1
  internal,     // an invariant of laconic itself is broken: exit status 1
};

// The lower-case name of a kind, as it stands in filter output.
const char* to_string(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws an Error with a formatted message: fail(ErrorKind::input, "{}:{}: expected ...", path, line).
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);

}  // namespace laconic

// LACONIC_CHECK(condition, "format", args...): the message is built only when the condition is false.
#define LACONIC_CHECK(condition, ...)                                                      \
  do {                                                                                     \
    if (!(condition)) [[unlikely]]                                                         \
      ::laconic::check_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
  } while (false)

#include "laconic/core/base/error.h"

namespace laconic {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::input:
      return "input";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::io:
      return "io";
    case ErrorKind::numeric:
      return "numeric";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  throw Error(ErrorKind::internal,
              fmt::format("{} (internal check `{}` failed at {}:{})", message, condition, file, line));
}

}  // namespace laconic

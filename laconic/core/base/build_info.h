// What this binary was built from.
#pragma once

#include <string>

namespace laconic {

struct BuildInfo {
  std::string version;   // "0.1.0"
  std::string commit;    // of the source tree when it was configured; "unknown" outside of a repository
  std::string compiler;  // "GNU 12.2.0"
  std::string build_type;
};

BuildInfo build_info();

}  // namespace laconic

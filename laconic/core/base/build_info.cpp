#include "laconic/core/base/build_info.h"

namespace laconic {

// The definitions come from CMakeLists.txt and reach this file only.
BuildInfo build_info() {
  return {LACONIC_VERSION, LACONIC_COMMIT, LACONIC_COMPILER, LACONIC_BUILD_TYPE};
}

}  // namespace laconic

// Says for each key that no field took what it was probably meant to be.
#pragma once

#include <vector>

#include "laconic/core/config/description.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/reader.h"

namespace laconic::config {

// `all` describes the whole configuration; `reader` knows the values that conditions are about.
void report_unknown_keys(const std::vector<UnknownKey>& unknown, const Description& all, const Reader& reader,
                         Problems& problems);

}  // namespace laconic::config

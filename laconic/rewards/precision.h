// The multi-precision numbers that decide where double precision cannot: 50 decimal digits, no allocation.
#pragma once

#include <boost/multiprecision/cpp_bin_float.hpp>

namespace laconic::rewards {

using Precise =
    boost::multiprecision::number<boost::multiprecision::cpp_bin_float_50::backend_type, boost::multiprecision::et_off>;

}  // namespace laconic::rewards

// A checksum that notices what changes on the way between ranks: any changed bit, and bytes that change places.
#pragma once

#include <cstdint>
#include <string_view>

namespace laconic::distributed {

// Depends on the bytes and their number. Not for comparisons between machines of different byte order.
int64_t checksum(std::string_view bytes);

}  // namespace laconic::distributed

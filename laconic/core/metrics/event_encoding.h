// The bytes of a TensorBoard event file: TFRecord frames around protobuf messages, of which only the few fields that
// scalars and text need are encoded here.
//
// Frame:   u64 length | u32 masked_crc(length) | payload | u32 masked_crc(payload), all little-endian.
// Event:   1 wall_time f64 | 2 step i64 | 3 file_version | 5 summary | 7 session_log { 1 status, START = 1 }
// Summary: repeated 1 value { 1 tag | 2 simple_value f32 | 8 tensor | 9 metadata { 1 plugin_data { 1 plugin_name } } }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace laconic::metrics {

// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78).
uint32_t crc32c(std::string_view data);
// TFRecord stores rotated and offset checksums: ((crc >> 15) | (crc << 17)) + 0xa282ead8.
uint32_t masked_crc32c(std::string_view data);

// One frame around a payload.
std::string tfrecord(std::string_view payload);

// Payloads. wall_time: seconds since 1970.
std::string version_event(double wall_time);
std::string scalars_event(double wall_time, int64_t step, const std::vector<std::pair<std::string, double>>& scalars);
std::string text_event(double wall_time, int64_t step, std::string_view tag, std::string_view text);
// Tells readers to forget earlier events at this step and beyond: a resumed run writes them again.
std::string session_start_event(double wall_time, int64_t step);

}  // namespace laconic::metrics

#include "laconic/core/metrics/tensorboard.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/base/files.h"
#include "laconic/core/metrics/event_encoding.h"
#include "tests/support/temporary_folder.h"

namespace laconic::metrics {
namespace {

// A small reader of its own, so that the writer is not compared with itself.
struct Field {
  uint64_t number = 0;  // varints and fixed-width values
  std::string bytes;
};
using Message = std::multimap<uint32_t, Field>;

template <typename T>
T load(const std::string& data, size_t at) {
  T value;
  std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}

Message parse_message(const std::string& data) {
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(data.at(at++));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  Message message;
  while (at < data.size()) {
    const uint64_t key = varint();
    Field field;
    switch (key & 7) {
      case 0:
        field.number = varint();
        break;
      case 1:
        field.number = load<uint64_t>(data, at);
        at += 8;
        break;
      case 5:
        field.number = load<uint32_t>(data, at);
        at += 4;
        break;
      default: {
        const uint64_t size = varint();
        field.bytes = data.substr(at, size);
        at += size;
      }
    }
    message.emplace(static_cast<uint32_t>(key >> 3), field);
  }
  EXPECT_EQ(at, data.size());
  return message;
}

const Field& only(const Message& message, uint32_t number) {
  EXPECT_EQ(message.count(number), 1U) << number;
  return message.find(number)->second;
}

std::vector<Message> read_events(const std::filesystem::path& path) {
  const std::string data = read_file(path);
  std::vector<Message> events;
  for (size_t at = 0; at < data.size();) {
    const auto length = load<uint64_t>(data, at);
    EXPECT_EQ(load<uint32_t>(data, at + 8), masked_crc32c(data.substr(at, 8)));
    const std::string payload = data.substr(at + 12, length);
    EXPECT_EQ(load<uint32_t>(data, at + 12 + length), masked_crc32c(payload));
    events.push_back(parse_message(payload));
    at += 16 + length;
  }
  return events;
}

float scalar(const Message& value) {
  return std::bit_cast<float>(static_cast<uint32_t>(only(value, 2).number));
}

TEST(Crc32c, MatchesPublishedValues) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);              // the check value of the CRC catalogue
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);    // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);  // RFC 3720, B.4
}

TEST(TensorBoard, WritesEventsThatReadBack) {
  const TemporaryFolder folder;
  TensorBoardWriter writer(folder / "tb", std::nullopt, [] { return 1234.5; });
  MetricRow row(300);
  row.set("reward/mean", 0.75);
  row.set("note", "skipped");
  row.set("count", 7);
  row.set("loss", std::nan(""));
  writer.write(row);
  writer.write_text(301, "config", "# hello");
  writer.write(MetricRow(302));  // nothing to write

  const auto events = read_events(writer.path());
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(only(events[0], 3).bytes, "brain.Event:2");
  EXPECT_EQ(std::bit_cast<double>(only(events[1], 1).number), 1234.5);
  EXPECT_EQ(only(events[1], 2).number, 300U);
  const auto summary = parse_message(only(events[1], 5).bytes);
  ASSERT_EQ(summary.count(1), 3U);
  auto entry = summary.begin();
  const auto reward = parse_message((entry++)->second.bytes);
  EXPECT_EQ(only(reward, 1).bytes, "reward/mean");
  EXPECT_EQ(scalar(reward), 0.75F);
  EXPECT_EQ(scalar(parse_message((entry++)->second.bytes)), 7.0F);
  EXPECT_TRUE(std::isnan(scalar(parse_message(entry->second.bytes))));

  const auto text = parse_message(only(parse_message(only(events[2], 5).bytes), 1).bytes);
  EXPECT_EQ(only(text, 1).bytes, "config");
  const auto tensor = parse_message(only(text, 8).bytes);
  EXPECT_EQ(only(tensor, 1).number, 7U);
  EXPECT_EQ(only(tensor, 8).bytes, "# hello");
  const auto plugin = parse_message(only(parse_message(only(text, 9).bytes), 1).bytes);
  EXPECT_EQ(only(plugin, 1).bytes, "text");
}

TEST(TensorBoard, AResumedRunStartsASessionInANewFile) {
  const TemporaryFolder folder;
  const auto clock = [] { return 10.0; };
  const TensorBoardWriter first(folder / "tb", std::nullopt, clock);
  const TensorBoardWriter second(folder / "tb", 42, clock);
  EXPECT_LT(first.path(), second.path());
  const auto events = read_events(second.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(only(events[1], 2).number, 42U);
  EXPECT_EQ(only(parse_message(only(events[1], 7).bytes), 1).number, 1U);
}

}  // namespace
}  // namespace laconic::metrics

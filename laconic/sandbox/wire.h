// Bytes between laconic and laconic-guard: both are of one build, so that numbers go as they lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "laconic/sandbox/job.h"

namespace laconic::sandbox::wire {

template <typename T>
void put(std::string& bytes, T value) {
  static_assert(std::is_arithmetic_v<T>);
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

inline void put_text(std::string& bytes, std::string_view text) {
  put<uint64_t>(bytes, text.size());
  bytes.append(text);
}

// Reads a message from its front; a message that is too short gives zeros and `broken`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  T take() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      broken_ = true;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string take_text() {
    const auto size = take<uint64_t>();
    if (size > rest_.size()) {
      broken_ = true;
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  bool broken() const { return broken_; }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

inline std::string encode(const Job& job) {
  std::string bytes;
  put<uint64_t>(bytes, job.files.size());
  for (const auto& file : job.files) {
    put_text(bytes, file.name);
    put_text(bytes, file.content);
  }
  put<uint64_t>(bytes, job.words.size());
  for (const auto& word : job.words) put_text(bytes, word);
  put_text(bytes, job.input);
  const auto& limits = job.limits;
  put(bytes, limits.wall_seconds);
  for (const uint64_t limit :
       {limits.cpu_seconds, limits.memory_bytes, limits.processes, limits.file_bytes, limits.output_bytes})
    put(bytes, limit);
  return bytes;
}

inline bool decode(std::string_view bytes, Job& job) {
  Reader reader(bytes);
  for (auto n = reader.take<uint64_t>(); n > 0 && !reader.broken(); --n) {
    auto name = reader.take_text();
    job.files.push_back({std::move(name), reader.take_text()});
  }
  for (auto n = reader.take<uint64_t>(); n > 0 && !reader.broken(); --n) job.words.push_back(reader.take_text());
  job.input = reader.take_text();
  auto& limits = job.limits;
  limits.wall_seconds = reader.take<double>();
  for (uint64_t* limit :
       {&limits.cpu_seconds, &limits.memory_bytes, &limits.processes, &limits.file_bytes, &limits.output_bytes})
    *limit = reader.take<uint64_t>();
  return !reader.broken();
}

inline std::string encode(const JobResult& result) {
  std::string bytes;
  put(bytes, static_cast<uint8_t>(result.end));
  put<int32_t>(bytes, result.code);
  put(bytes, result.seconds);
  put_text(bytes, result.output);
  put_text(bytes, result.errors);
  return bytes;
}

inline bool decode(std::string_view bytes, JobResult& result) {
  Reader reader(bytes);
  result.end = static_cast<JobEnd>(reader.take<uint8_t>());
  result.code = reader.take<int32_t>();
  result.seconds = reader.take<double>();
  result.output = reader.take_text();
  result.errors = reader.take_text();
  return !reader.broken();
}

}  // namespace laconic::sandbox::wire

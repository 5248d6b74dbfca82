// Shared by the tests of this room: files, and tokenizers made from the test data or from a few lines.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/text/tokenizer.h"
#include "tests/support/test_data.h"

namespace laconic::text {

// Keeps the order of keys, as Python does.
using Json = nlohmann::ordered_json;

inline std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> lines;
  for (const auto& line : split(text, '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line));
  }
  return lines;
}

// This room links no zlib; the tests ask gzip.
inline std::string gunzip(const std::filesystem::path& path) {
  std::string text;
  FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  std::vector<char> buffer(1 << 16);
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << path;
  return text;
}

// A file of this folder.
inline std::string own_file(const std::string& name) {
  return read_file(std::filesystem::path(LACONIC_SOURCE_DIR) / "tests" / "core" / "text" / name);
}

inline Json added_token(int id, const std::string& content, bool special = true) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

// A byte-level tokenizer as GPT-2 has it, with `changes` merged over the top-level keys.
inline Json byte_level(const Json& vocab, const Json& merges, const Json& changes = Json::object()) {
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  Json out = {{"added_tokens", Json::array()}, {"normalizer", nullptr},
              {"pre_tokenizer", byte_level},   {"post_processor", nullptr},
              {"decoder", byte_level},         {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
  for (const auto& [key, value] : changes.items()) out[key] = value;
  return out;
}

inline Tokenizer from_json(const Json& json, const std::string& config = "") {
  return Tokenizer::from_json_text(json.dump(), "small.json", config);
}

// The vocabulary file and merge list of GPT-2 with these changes. (Put together as text: the JSON type that keeps order
// is slow with 50,000 keys.)
inline Tokenizer gpt2(const std::filesystem::path& folder, const Json& changes) {
  std::string merges;
  for (const auto& line : split(gunzip(folder / "merges.txt.gz"), '\n')) {
    if (line.empty() || line.starts_with("#version")) continue;
    merges += (merges.empty() ? "" : ",") + Json(line).dump();
  }
  std::string text = byte_level(Json::object(), Json::array(), changes).dump();
  text.replace(text.find("\"vocab\":{}"), 10, "\"vocab\":" + gunzip(folder / "vocab.json.gz"));
  text.replace(text.find("\"merges\":[]"), 11, "\"merges\":[" + merges + "]");
  return Tokenizer::from_json_text(text, "gpt2");
}

// Limits on time hold for optimized builds; sanitizers and debug builds get more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
inline constexpr double kSlowdown = 20.0;
#else
inline constexpr double kSlowdown = 1.0;
#endif

// The kind and message of the error that `work` ends with; fails the test where it does not.
struct Caught {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
};
template <typename Work>
Caught caught(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace laconic::text

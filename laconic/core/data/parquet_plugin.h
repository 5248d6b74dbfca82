// The interface of liblaconic_parquet.so, which alone knows Arrow. The program opens it when it meets a Parquet file;
// both come from one build.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace laconic::data {

inline constexpr int kParquetPluginVersion = 1;

// A row as an object; false stops the reading.
using ParquetRowSink = std::function<bool(nlohmann::ordered_json&&)>;

struct ParquetPlugin {
  int version = kParquetPluginVersion;
  // Names of the columns at the top level. Returns what went wrong, "" for nothing.
  std::string (*columns)(const std::string& path, std::vector<std::string>& names) = nullptr;
  // Rows in their order with these columns of the top level (all where empty; unknown ones are passed over). Lists
  // become arrays, structs objects, decimals and times strings; texts are given as they are, valid UTF-8 or not. What
  // the sink throws comes through.
  std::string (*read)(const std::string& path, const std::vector<std::string>& columns,
                      const ParquetRowSink& sink) = nullptr;
};

}  // namespace laconic::data

// The plug-in's one symbol; never null.
extern "C" const laconic::data::ParquetPlugin* laconic_parquet_plugin();

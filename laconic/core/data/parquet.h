// Parquet files, through the plug-in that knows Arrow (parquet_plugin.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "laconic/core/data/records.h"

namespace laconic::data {

// Whether this build reads Parquet: the plug-in lies beside the program, or in the lib folder of its prefix.
bool parquet_is_built();

// Names of the columns at the top level. Without the plug-in an Error of kind unsupported that says how to get it; a
// file that is not Parquet or is damaged is one of kind input.
std::vector<std::string> parquet_columns(const std::filesystem::path& path);

// Rows in the file's order, counted from 0: file:[row]. `columns`: those that are read; empty for all. A text that is
// not UTF-8 makes a broken record. Errors as above.
void read_parquet(const std::filesystem::path& path, const std::vector<std::string>& columns, const RecordSink& sink);

}  // namespace laconic::data

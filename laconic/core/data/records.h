// Files as a sequence of records (JSON objects), with the place of each. A broken record is delivered with its reason
// instead of its value, so that the caller decides what an error means.
//
// Records are read one by one: memory does not grow with the file, but for format json, where the file is one value.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/data/text_reader.h"

namespace laconic::data {

struct Record {
  std::string source;            // file:line or file:[index]
  nlohmann::ordered_json value;  // an object, or null when reason is set
  std::string reason;            // why the record is broken; "" when it is not
  std::string_view text;         // jsonl: the line as it stands in the file, valid during the call; else empty
};

// Called for each record in order; false stops the reading.
using RecordSink = std::function<bool(Record&&)>;

// jsonl, json, csv, tsv, parquet.
const std::vector<std::string>& record_formats();

// `wanted`, or where that is "auto" what the name says with .gz or .zst taken off. A format that does not exist or
// cannot be told is an Error of kind usage.
std::string format_of(const std::filesystem::path& path, const std::string& wanted);

// Reads a file of that format. `columns`: those that are wanted, which a format that stores columns apart (parquet)
// reads alone; empty for all. A file without content and one that cannot be read are Errors of kind input or io.
void read_records(const std::filesystem::path& path, const std::string& format, const std::vector<std::string>& columns,
                  const RecordSink& sink);

// One object per line; blank lines are passed over. A key that stands twice in an object makes a broken record.
void read_jsonl(TextReader& text, const std::string& name, const RecordSink& sink);
// One array of objects. An unparsable file is an Error: nothing behind the mistake can be trusted.
void read_json_array(TextReader& text, const std::string& name, const RecordSink& sink);
// RFC 4180 with a header line: quoted fields may hold separators, line ends and doubled quotes. Values are strings, and
// blank lines are passed over. A broken header is an Error; a record with another number of fields, or a stray quote,
// is a broken record.
void read_csv(TextReader& text, const std::string& name, char separator, const RecordSink& sink);

}  // namespace laconic::data

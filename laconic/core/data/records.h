// Files as a sequence of records (JSON objects), with the place of each. A broken record is delivered with its reason
// instead of its value, so that the caller decides what an error means.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace laconic::data {

struct Record {
  std::string source;            // file:line or file:[index]
  nlohmann::ordered_json value;  // an object, or null when reason is set
  std::string reason;            // why the record is broken; "" when it is not
};

// Called for each record in order; false stops the reading.
using RecordSink = std::function<bool(Record&&)>;

// The whole file, inflated when it begins with the gzip magic (members one after the other count as one text). A
// truncated or damaged stream is an Error of kind input.
std::string read_maybe_gz(const std::filesystem::path& path);

// One object per line; blank lines are passed over. A key that stands twice in an object makes a broken record.
void read_jsonl(std::string_view text, const std::string& name, const RecordSink& sink);
// One array of objects. An unparsable file is an Error: nothing behind the mistake can be trusted.
void read_json_array(std::string_view text, const std::string& name, const RecordSink& sink);
// RFC 4180 with a header line: quoted fields may hold separators, line ends and doubled quotes. Values are strings, and
// blank lines are passed over. A broken header is an Error; a record with another number of fields, or a stray quote,
// is a broken record.
void read_csv(std::string_view text, const std::string& name, char separator, const RecordSink& sink);

}  // namespace laconic::data

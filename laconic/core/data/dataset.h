// Examples from files: JSON lines, JSON (an array of objects), CSV and TSV, each also compressed with gzip or zstd, and
// Parquet where it is built in. Columns are mapped by name; whatever a record lacks or holds in the wrong shape is an
// Error of kind input with file, line and reason, or a counted skip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::data {

struct Message {
  std::string role, content;
  bool operator==(const Message&) const = default;
};

struct Example {
  std::string id;                  // from id_column, else "<label of the file>:<record>" counted from 0
  std::string prompt;              // the templated user text (of the last user message for chat records)
  std::vector<Message> messages;   // the chat to render: system (if any), ..., user; without the response
  std::string response;            // what SFT learns; "" when none is mapped
  std::string answer;              // gold answer after answer_from; "" when none is mapped
  nlohmann::ordered_json columns;  // the whole record; null where it was not to be kept
  std::string source;              // file:line (JSON arrays and Parquet: file:[index])
};

enum class AnswerFrom {
  whole,         // the column as it is
  after_hashes,  // what stands behind the last `####` (GSM8K)
  boxed,         // the content of the last \boxed{}
};

enum class OnError { fail, skip };

struct DatasetOptions {
  std::filesystem::path path;   // one file, or a pattern that names several (file_names.h)
  std::string preset;           // "", gsm8k, ... (presets.h): column names that were not set here
  std::string format = "auto";  // auto (by extension, .gz and .zst taken off), jsonl, json, csv, tsv, parquet
  // Names of columns, "" for none; a.b is column b of the object in column a. Exactly one of prompt_column and
  // messages_column must end up set; prompt_column may hold a string or, as chat data often do, an array of messages.
  std::string prompt_column;
  std::string messages_column;  // array of {role, content}; a last assistant message becomes the response
  std::string answer_column;
  std::string response_column;
  std::string id_column;
  // Multiple choice: columns with the wrong options; answer_column has the right one. The options follow the prompt as
  // "A) ...", in an order that depends on choice_seed and the question, and the answer becomes a letter.
  std::vector<std::string> choice_columns;
  uint64_t choice_seed = 0;
  std::string answer_from;                   // "", whole, after_hashes, boxed ("" = the preset's, else whole)
  std::string prompt_template = "{prompt}";  // applied to the (last) user text; only {prompt} is replaced, once or more
  std::string system;                        // a system message put first where the record has none
  size_t offset = 0;                         // usable examples left out at the start
  size_t limit = 0;                          // 0: all; reading stops when it is reached
  OnError on_error = OnError::fail;
  bool json_answers = false;  // an answer may be a list or an object: its JSON text; else that is an error
  bool keep_columns = true;   // keep the whole record of an example; of Parquet else only the mapped columns are read
};

struct SkippedRecord {
  std::string source, reason;
};

struct Dataset {
  std::vector<Example> examples;  // never empty
  size_t skipped = 0;
  std::vector<SkippedRecord> first_skipped;  // at most kReasonsKept
};
inline constexpr size_t kReasonsKept = 5;

std::vector<std::string> dataset_presets();

// Goes through a set without holding it: memory does not grow with it, and offset, limit, on_error and the uniqueness
// of ids are not looked at. Either of the two is called for each record, in order, and false from them stops the
// reading.
struct ExampleSink {
  // `line`: of JSON lines the line as it stands in the file, valid during the call; else empty.
  std::function<bool(Example&& example, std::string_view line)> example;
  std::function<bool(const SkippedRecord& record)> broken;
};
// Returns the number of records. Errors as of load_dataset, but for what a record lacks.
size_t scan_dataset(const DatasetOptions& options, const ExampleSink& sink);

// Throws: ErrorKind::usage for unusable options, input for broken content, an empty file and a result without examples,
// io when the system refuses.
Dataset load_dataset(const DatasetOptions& options);

}  // namespace laconic::data

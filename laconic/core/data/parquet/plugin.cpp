// Parquet through Arrow: the one file that includes its headers, built into liblaconic_parquet.so.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>
#include <utility>

#include "laconic/core/data/parquet_plugin.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

// Rows decoded at a time: published sets have rows of a hundred kilobytes.
constexpr int64_t kBatchRows = 256;

// What went wrong inside of Arrow; caught in this file.
struct ArrowProblem {
  std::string reason;
};

void check(const arrow::Status& status) {
  if (!status.ok()) throw ArrowProblem{status.ToString()};
}

template <typename T>
T value_of(arrow::Result<T> result) {
  check(result.status());
  return std::move(result).ValueUnsafe();
}

Json value_at(const arrow::Array& array, int64_t i);

template <typename Array>
Json number_at(const arrow::Array& array, int64_t i) {
  return static_cast<const Array&>(array).Value(i);
}

// 0.1f as 0.1 and not as the double nearest to it.
Json float_at(const arrow::Array& array, int64_t i) {
  const float value = static_cast<const arrow::FloatArray&>(array).Value(i);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double nearest = value;
  std::from_chars(text, end, nearest);
  return nearest;
}

template <typename Array>
Json text_at(const arrow::Array& array, int64_t i) {
  return std::string(static_cast<const Array&>(array).GetView(i));
}

template <typename Array>
Json list_at(const arrow::Array& array, int64_t i) {
  const auto& list = static_cast<const Array&>(array);
  Json items = Json::array();
  const int64_t begin = list.value_offset(i), end = begin + list.value_length(i);
  for (int64_t k = begin; k < end; ++k) items.push_back(value_at(*list.values(), k));
  return items;
}

Json struct_at(const arrow::Array& array, int64_t i) {
  const auto& fields = static_cast<const arrow::StructArray&>(array);
  Json object = Json::object();
  for (int f = 0; f < fields.num_fields(); ++f) object[fields.type()->field(f)->name()] = value_at(*fields.field(f), i);
  return object;
}

Json value_at(const arrow::Array& array, int64_t i) {
  using arrow::Type;
  if (array.IsNull(i)) return nullptr;
  switch (array.type_id()) {
    case Type::BOOL:
      return number_at<arrow::BooleanArray>(array, i);
    case Type::INT8:
      return number_at<arrow::Int8Array>(array, i);
    case Type::INT16:
      return number_at<arrow::Int16Array>(array, i);
    case Type::INT32:
      return number_at<arrow::Int32Array>(array, i);
    case Type::INT64:
      return number_at<arrow::Int64Array>(array, i);
    case Type::UINT8:
      return number_at<arrow::UInt8Array>(array, i);
    case Type::UINT16:
      return number_at<arrow::UInt16Array>(array, i);
    case Type::UINT32:
      return number_at<arrow::UInt32Array>(array, i);
    case Type::UINT64:
      return number_at<arrow::UInt64Array>(array, i);
    case Type::FLOAT:
      return float_at(array, i);
    case Type::DOUBLE:
      return number_at<arrow::DoubleArray>(array, i);
    case Type::STRING:
    case Type::BINARY:
      return text_at<arrow::BinaryArray>(array, i);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return text_at<arrow::LargeBinaryArray>(array, i);
    case Type::LIST:
    case Type::MAP:  // a list of {key, value}
      return list_at<arrow::ListArray>(array, i);
    case Type::LARGE_LIST:
      return list_at<arrow::LargeListArray>(array, i);
    case Type::FIXED_SIZE_LIST:
      return list_at<arrow::FixedSizeListArray>(array, i);
    case Type::STRUCT:
      return struct_at(array, i);
    case Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return value_at(*coded.dictionary(), coded.GetValueIndex(i));
    }
    default:
      return value_of(array.GetScalar(i))->ToString();
  }
}

std::unique_ptr<parquet::arrow::FileReader> open(const std::string& path) {
  auto file = value_of(arrow::io::ReadableFile::Open(path));
  // Pages are read as they are needed: a row group may be larger than the memory.
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.enable_buffered_stream();
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(std::move(file), properties));
  builder.properties(arrow_properties);
  return value_of(builder.Build());
}

// The leaves of the schema that lie below the wanted columns.
std::vector<int> leaves_of(const parquet::SchemaDescriptor& schema, const std::vector<std::string>& columns) {
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const auto top = schema.Column(i)->path()->ToDotVector().front();
    if (columns.empty() || std::find(columns.begin(), columns.end(), top) != columns.end()) leaves.push_back(i);
  }
  return leaves;
}

template <typename Work>
std::string problem_of(const Work& work) {
  try {
    work();
  } catch (const ArrowProblem& problem) {
    return problem.reason.empty() ? "unknown" : problem.reason;
  } catch (const parquet::ParquetException& problem) {
    return problem.what();
  }
  return "";
}

std::string read_columns(const std::string& path, std::vector<std::string>& names) {
  return problem_of([&] {
    std::shared_ptr<arrow::Schema> schema;
    check(open(path)->GetSchema(&schema));
    names = schema->field_names();
  });
}

std::string read_rows(const std::string& path, const std::vector<std::string>& columns, const ParquetRowSink& sink) {
  return problem_of([&] {
    const auto reader = open(path);
    std::vector<int> groups(static_cast<size_t>(reader->num_row_groups()));
    for (size_t g = 0; g < groups.size(); ++g) groups[g] = static_cast<int>(g);
    const auto leaves = leaves_of(*reader->parquet_reader()->metadata()->schema(), columns);
    const auto batches = value_of(reader->GetRecordBatchReader(groups, leaves));
    for (;;) {
      const auto batch = value_of(batches->Next());
      if (batch == nullptr) return;
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        Json row = Json::object();
        for (int c = 0; c < batch->num_columns(); ++c) row[batch->column_name(c)] = value_at(*batch->column(c), i);
        if (!sink(std::move(row))) return;
      }
    }
  });
}

}  // namespace
}  // namespace laconic::data

const laconic::data::ParquetPlugin* laconic_parquet_plugin() {
  static const laconic::data::ParquetPlugin plugin = {laconic::data::kParquetPluginVersion, laconic::data::read_columns,
                                                      laconic::data::read_rows};
  return &plugin;
}

#include "laconic/core/model/safetensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::model {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, at::ScalarType>, 9> kTypes = {{{"F32", at::kFloat},
                                                                           {"BF16", at::kBFloat16},
                                                                           {"F16", at::kHalf},
                                                                           {"F64", at::kDouble},
                                                                           {"I64", at::kLong},
                                                                           {"I32", at::kInt},
                                                                           {"I8", at::kChar},
                                                                           {"U8", at::kByte},
                                                                           {"BOOL", at::kBool}}};

std::optional<at::ScalarType> type_of(const std::string& name) {
  for (const auto& [text, type] : kTypes) {
    if (name == text) return type;
  }
  return std::nullopt;
}

const char* name_of(at::ScalarType wanted) {
  for (const auto& [text, type] : kTypes) {
    if (type == wanted) return text;
  }
  fail(ErrorKind::unsupported, "safetensors: the dtype {} cannot be written", c10::toString(wanted));
}

// JSON objects keep the last of several equal keys, so those are looked for while the text is read.
Json parse_header(const char* begin, const char* end, const std::string& where) {
  std::set<std::string> names;
  return Json::parse(begin, end, [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second)
      fail(ErrorKind::input, "{}: tensor {} is in the header twice", where, parsed.get<std::string>());
    return true;
  });
}

// A list of whole numbers of a tensor's entry. Values are not quoted in messages: they may be nested without end.
std::vector<uint64_t> whole_numbers(const Json& entry, const char* key, const std::string& where) {
  const Json& list = entry.at(key);
  std::vector<uint64_t> numbers;
  for (size_t i = 0; list.is_array() && i < list.size() && list[i].is_number_unsigned(); ++i)
    numbers.push_back(list[i].get<uint64_t>());
  if (!list.is_array() || numbers.size() != list.size())
    fail(ErrorKind::input, "{}: {}: expected a list of whole numbers", where, key);
  return numbers;
}

void read_metadata(const Json& value, const std::string& where, std::map<std::string, std::string>& metadata) {
  if (!value.is_object()) fail(ErrorKind::input, "{}: __metadata__: expected a JSON object", where);
  for (const auto& [key, item] : value.items()) {
    if (!item.is_string()) fail(ErrorKind::input, "{}: __metadata__: {}: expected a text", where, key);
    metadata[key] = item.get<std::string>();
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<MappedFile>(path)) {
  try {
    read_header();
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: the safetensors header is damaged: {}", path_.string(), parser_reason(error.what()));
  }
}

void SafetensorsFile::read_header() {
  const std::string where = path_.string();
  uint64_t length = 0;
  if (file_->size() < sizeof length)
    fail(ErrorKind::input, "{}: {} bytes are too few for a safetensors file", where, file_->size());
  std::memcpy(&length, file_->data(), sizeof length);
  if (length > file_->size() - sizeof length) {
    fail(ErrorKind::input, "{}: not a safetensors file, or truncated: the header should have {} bytes, the file has {}",
         where, length, file_->size());
  }
  const char* text = reinterpret_cast<const char*>(file_->data()) + sizeof length;
  const Json header = parse_header(text, text + length, where);
  if (!header.is_object())
    fail(ErrorKind::input, "{}: the safetensors header is a JSON {}, expected an object", where, header.type_name());
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      read_metadata(value, where, metadata_);
      continue;
    }
    const std::string tensor = fmt::format("{}: tensor {}", where, name);
    if (!value.is_object()) fail(ErrorKind::input, "{}: expected a JSON object, found {}", tensor, value.type_name());
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!value.contains(key)) fail(ErrorKind::input, "{}: its {} is missing", tensor, key);
    }
    if (!value.at("dtype").is_string()) fail(ErrorKind::input, "{}: dtype: expected a text", tensor);
    entries_[name] = read_entry(tensor, value.at("dtype").get<std::string>(), whole_numbers(value, "shape", tensor),
                                whole_numbers(value, "data_offsets", tensor), sizeof length + length);
  }
  check_layout(sizeof length + length);
}

SafetensorsFile::Entry SafetensorsFile::read_entry(const std::string& tensor, const std::string& dtype,
                                                   const std::vector<uint64_t>& shape,
                                                   const std::vector<uint64_t>& offsets, size_t data_begin) const {
  const auto type = type_of(dtype);
  if (!type) fail(ErrorKind::unsupported, "{}: the dtype {} is not supported", tensor, dtype);
  Entry entry{*type, {}, 0, 0};
  // The product without the zeros bounds every product and stride that is computed from this shape.
  uint64_t bytes = c10::elementSize(*type), bound = bytes;
  for (uint64_t size : shape) {
    constexpr uint64_t kLargest = std::numeric_limits<int64_t>::max();
    if (size > kLargest || __builtin_mul_overflow(bound, std::max<uint64_t>(size, 1), &bound) || bound > kLargest)
      fail(ErrorKind::input, "{}: the shape [{}] is impossible", tensor, fmt::join(shape, ", "));
    bytes *= size;
    entry.shape.push_back(static_cast<int64_t>(size));
  }
  if (offsets.size() != 2 || offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes) {
    fail(ErrorKind::input, "{}: shape [{}] and dtype {} need {} bytes, but data_offsets are [{}]", tensor,
         fmt::join(shape, ", "), dtype, bytes, fmt::join(offsets, ", "));
  }
  const size_t available = file_->size() - data_begin;
  if (offsets[1] > available) {
    fail(ErrorKind::input, "{}: truncated: it ends at byte {} of the data, the file holds {}", tensor, offsets[1],
         available);
  }
  entry.begin = data_begin + offsets[0];
  entry.end = data_begin + offsets[1];
  return entry;
}

// The format wants every byte behind the header to belong to exactly one tensor.
void SafetensorsFile::check_layout(size_t data_begin) const {
  std::vector<std::pair<std::pair<size_t, size_t>, std::string>> ranges;
  for (const auto& [name, entry] : entries_) ranges.push_back({{entry.begin, entry.end}, name});
  std::sort(ranges.begin(), ranges.end());
  size_t at = data_begin;
  for (const auto& [range, name] : ranges) {
    if (range.first < at) {
      fail(ErrorKind::input, "{}: tensor {} overlaps another one at byte {} of the data", path_.string(), name,
           range.first - data_begin);
    }
    if (range.first > at) {
      fail(ErrorKind::input, "{}: {} bytes before tensor {} belong to no tensor", path_.string(), range.first - at,
           name);
    }
    at = range.second;
  }
  if (at < file_->size())
    fail(ErrorKind::input, "{}: the last {} bytes belong to no tensor", path_.string(), file_->size() - at);
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

at::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    fail(ErrorKind::input, "{}: there is no tensor {}{}", path_.string(), name, did_you_mean(name, names()));
  const Entry& entry = found->second;
  const auto options = at::TensorOptions().dtype(entry.dtype);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  const std::byte* address = file_->data() + entry.begin;
  if (reinterpret_cast<uintptr_t>(address) % c10::elementSize(entry.dtype) != 0) {  // allowed by the format
    auto copy = at::empty(entry.shape, options);
    std::memcpy(copy.mutable_data_ptr(), address, entry.end - entry.begin);
    return copy;
  }
  // The deleter holds the map; the tensor is never written to.
  return at::from_blob(
      const_cast<std::byte*>(address), entry.shape, [file = file_](void*) {}, options);
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const size_t bytes = static_cast<size_t>(tensor.numel()) * tensor.element_size();
    if (header.contains(name)) fail(ErrorKind::internal, "safetensors: the name {} occurs twice", name);
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(text);
  for (const auto& entry : tensors) {
    const auto plain = entry.second.detach().to(at::kCPU).contiguous();
    file.write(plain.const_data_ptr(), static_cast<size_t>(plain.numel()) * plain.element_size());
  }
  file.commit();
}

}  // namespace laconic::model

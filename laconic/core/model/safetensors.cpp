#include "laconic/core/model/safetensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

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

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<MappedFile>(path)) {
  try {
    read_header();
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: the safetensors header is damaged: {}", path_.string(), error.what());
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
  const Json header = Json::parse(text, text + length);
  if (!header.is_object())
    fail(ErrorKind::input, "{}: the safetensors header is a JSON {}, expected an object", where, header.type_name());
  const size_t data_begin = sizeof length + length;
  std::vector<std::pair<size_t, size_t>> ranges;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, item] : value.items())
        metadata_[key] = item.is_string() ? item.get<std::string>() : item.dump();
      continue;
    }
    const std::string dtype = value.at("dtype").get<std::string>();
    const auto type = type_of(dtype);
    if (!type) fail(ErrorKind::unsupported, "{}: tensor {}: the dtype {} is not supported", where, name, dtype);
    Entry entry{*type, value.at("shape").get<std::vector<int64_t>>(), 0, 0};
    const auto offsets = value.at("data_offsets").get<std::array<uint64_t, 2>>();
    uint64_t bytes = c10::elementSize(*type);
    for (int64_t size : entry.shape) {
      if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
        fail(ErrorKind::input, "{}: tensor {} has an impossible shape", where, name);
      }
    }
    if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes) {
      fail(ErrorKind::input, "{}: tensor {} of shape [{}] and dtype {} needs {} bytes, its offsets give {}", where,
           name, fmt::join(entry.shape, ", "), dtype, bytes, static_cast<int64_t>(offsets[1] - offsets[0]));
    }
    if (offsets[1] > file_->size() - data_begin) {
      fail(ErrorKind::input, "{}: truncated: tensor {} ends at byte {}, the file has {}", where, name,
           data_begin + offsets[1], file_->size());
    }
    entry.begin = data_begin + offsets[0];
    entry.end = data_begin + offsets[1];
    ranges.emplace_back(entry.begin, entry.end);
    entries_[name] = std::move(entry);
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second)
      fail(ErrorKind::input, "{}: two tensors overlap at byte {}", where, ranges[i].first);
  }
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

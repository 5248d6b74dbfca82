#include "laconic/core/checkpoint/tensor_files.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSizes = "sizes";

std::string part_name(const optim::TensorPart& part) {
  return fmt::format("{}@{}", part.name, part.begin);
}

// The tensor and the first value of an entry's name.
std::pair<std::string, int64_t> parse_part_name(const std::string& entry, const fs::path& path) {
  const auto mark = entry.rfind('@');
  int64_t begin = 0;
  const char* last = entry.data() + entry.size();
  const bool marked = mark != std::string::npos;
  const auto [end, error] = std::from_chars(entry.data() + (marked ? mark + 1 : 0), last, begin);
  if (!marked || error != std::errc() || end != last || begin < 0)
    fail(ErrorKind::input, "{}: {} is no part of a tensor: expected NAME@BEGIN", path.string(), entry);
  return {entry.substr(0, mark), begin};
}

std::map<std::string, std::vector<int64_t>> sizes_in(const model::SafetensorsFile& file) {
  const auto found = file.metadata().find(kSizes);
  if (found == file.metadata().end())
    fail(ErrorKind::input, "{}: its metadata lacks the {} of the tensors", file.path().string(), kSizes);
  try {
    return json::parse(found->second).get<std::map<std::string, std::vector<int64_t>>>();
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "{}: metadata: {}: {}", file.path().string(), kSizes, parser_reason(error.what()));
  }
}

}  // namespace

TensorFiles TensorFiles::of_whole(const fs::path& file) {
  TensorFiles files;
  const model::SafetensorsFile mapped(file);
  for (const auto& name : mapped.names()) {
    const auto tensor = mapped.tensor(name);
    files.entries_[name] = {tensor.sizes().vec(), tensor.scalar_type(), {{0, tensor.numel(), tensor.view({-1})}}};
  }
  return files;
}

TensorFiles TensorFiles::of_parts(const std::vector<fs::path>& paths) {
  TensorFiles files;
  for (const auto& path : paths) files.add_parts(path);
  files.check_complete();
  return files;
}

void TensorFiles::add_parts(const fs::path& path) {
  const model::SafetensorsFile mapped(path);
  const auto sizes = sizes_in(mapped);
  for (const auto& name : mapped.names()) {
    const auto [tensor, begin] = parse_part_name(name, path);
    const auto values = mapped.tensor(name).view({-1});
    const auto whole = sizes.find(tensor);
    if (whole == sizes.end())
      fail(ErrorKind::input, "{}: its metadata lacks the {} of {}", path.string(), kSizes, tensor);
    auto& entry = entries_[tensor];
    if (entry.ranges.empty()) {
      entry.sizes = whole->second;
      entry.dtype = values.scalar_type();
    }
    if (entry.sizes != whole->second || entry.dtype != values.scalar_type())
      fail(ErrorKind::input, "{}: {} has another shape or dtype than in the files before", path.string(), tensor);
    entry.ranges.push_back({begin, values.numel(), values});
  }
}

void TensorFiles::check_complete() {
  for (auto& [name, entry] : entries_) {
    std::sort(entry.ranges.begin(), entry.ranges.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    int64_t covered = 0;
    for (const auto& range : entry.ranges) {
      if (range.begin != covered)
        fail(ErrorKind::input, "{}: its parts leave a gap or overlap at value {}: expected one from {} on", name,
             range.begin, covered);
      covered += range.size;
    }
    if (const auto whole = c10::multiply_integers(entry.sizes); covered != whole)
      fail(ErrorKind::input, "{}: its parts have {} values, expected {}", name, covered, whole);
  }
}

const TensorFiles::Entry& TensorFiles::at(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail(ErrorKind::input, "there is no tensor {}{}", name, did_you_mean(name, names()));
  return found->second;
}

std::vector<std::string> TensorFiles::names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

void TensorFiles::read(const std::string& name, int64_t begin, const at::Tensor& target) const {
  const at::NoGradGuard no_grad;
  const auto& entry = at(name);
  const int64_t end = begin + target.numel();
  LACONIC_CHECK(target.dim() == 1 && target.scalar_type() == entry.dtype && begin >= 0 &&
                    end <= c10::multiply_integers(entry.sizes),
                "{}: values {} to {} cannot be read into this tensor", name, begin, end);
  for (const auto& range : entry.ranges) {
    const int64_t from = std::max(begin, range.begin), to = std::min(end, range.begin + range.size);
    if (from < to)
      target.narrow(0, from - begin, to - from).copy_(range.values.narrow(0, from - range.begin, to - from));
  }
}

void write_parts(const fs::path& path, const optim::TensorParts& parts) {
  std::vector<std::pair<std::string, at::Tensor>> entries;
  entries.reserve(parts.size());
  json sizes = json::object();
  for (const auto& part : parts) {
    entries.emplace_back(part_name(part), part.values.view({-1}));
    sizes[part.name] = part.sizes;
  }
  model::write_safetensors(path, entries, {{"format", "pt"}, {kSizes, sizes.dump()}});
}

void write_whole(const fs::path& path, const optim::TensorParts& tensors) {
  std::vector<std::pair<std::string, at::Tensor>> entries;
  entries.reserve(tensors.size());
  for (const auto& tensor : tensors) entries.emplace_back(tensor.name, tensor.values);
  model::write_safetensors(path, entries);
}

}  // namespace laconic::checkpoint

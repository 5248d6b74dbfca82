#include "laconic/core/metrics/jsonl.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"

namespace laconic::metrics {
namespace {

using nlohmann::ordered_json;

void name_non_finite(ordered_json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::isnan(number)) value = "NaN";
    if (std::isinf(number)) value = number > 0 ? "Infinity" : "-Infinity";
  } else if (value.is_structured()) {
    for (auto& child : value) name_non_finite(child);
  }
}

std::string dump(ordered_json value, int indent) {
  name_non_finite(value);
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

// Calls visit(line number, offset of its first byte, text, finished) for every line; visit returns whether to go on.
template <typename Visit>
void for_each_line(std::string_view content, Visit&& visit) {
  int64_t number = 1;
  for (size_t at = 0; at < content.size(); ++number) {
    const size_t end = content.find('\n', at);
    const bool finished = end != std::string_view::npos;
    if (!visit(number, at, content.substr(at, finished ? end - at : end), finished)) return;
    if (!finished) return;
    at = end + 1;
  }
}

}  // namespace

ordered_json to_json(const MetricRow& row) {
  ordered_json object = {{"step", row.step()}};
  for (const auto& [name, value] : row.entries()) {
    std::visit([&, key = name](const auto& held) { object[key] = held; }, value);
  }
  return object;
}

std::string json_line(const ordered_json& value) {
  return dump(value, -1);
}

std::string pretty_json(const ordered_json& value) {
  return dump(value, 2) + "\n";
}

void JsonlWriter::write(const ordered_json& object) {
  LACONIC_CHECK(object.is_object(), "{}: a row must be an object", path().string());
  file_.check_in_place();
  file_.append(json_line(object) + "\n");
}

void JsonlWriter::write(const MetricRow& row) {
  write(to_json(row));
}

int64_t JsonlWriter::truncate_after(int64_t step) {
  const std::string content = read_file(path());
  size_t keep = content.size();
  int64_t dropped = 0;
  last_step_.reset();
  for_each_line(content, [&](int64_t number, size_t at, std::string_view text, bool finished) {
    if (dropped == 0 && finished) {
      const auto row = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (!row.is_object() || !row.contains("step") || !row["step"].is_number_integer()) {
        fail(ErrorKind::input, "{}:{}: expected an object with an integer \"step\", found `{}`", path().string(),
             number, text.substr(0, 80));
      }
      if (const auto found = row["step"].get<int64_t>(); found <= step) {
        last_step_ = found;
        return true;
      }
    }
    if (dropped++ == 0) keep = at;
    return true;
  });
  if (dropped > 0) file_.truncate(keep);
  return dropped;
}

JsonlContent read_jsonl(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  JsonlContent result;
  for_each_line(content, [&](int64_t number, size_t, std::string_view text, bool finished) {
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) return true;
    try {
      auto row = ordered_json::parse(text);
      if (!row.is_object()) fail(ErrorKind::input, "{}:{}: expected a JSON object", path.string(), number);
      result.rows.push_back(std::move(row));
      result.lines.push_back(number);
    } catch (const nlohmann::json::exception& error) {
      if (finished)
        fail(ErrorKind::input, "{}:{}: not valid JSON: {}", path.string(), number, parser_reason(error.what()));
      result.note = fmt::format("{}: the last line ({}) is cut off and was left out", path.filename().string(), number);
    }
    return true;
  });
  return result;
}

}  // namespace laconic::metrics

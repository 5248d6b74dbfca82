#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/metrics/report.h"

namespace laconic::metrics {
namespace {

// Nested objects become "outer.inner" rows.
void add_versions(const nlohmann::ordered_json& value, const std::string& name,
                  std::vector<std::pair<std::string, std::string>>& rows) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) add_versions(child, name.empty() ? key : name + "." + key, rows);
    return;
  }
  rows.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
}

void read_first_folder(const std::filesystem::path& folder, ReportInput& input) {
  if (std::filesystem::exists(folder / "config.yaml")) {
    input.config_yaml = read_file(folder / "config.yaml");
  } else {
    input.notes.push_back("config.yaml is missing");
  }
  if (!std::filesystem::exists(folder / "versions.json")) {
    input.notes.push_back("versions.json is missing");
    return;
  }
  try {
    add_versions(nlohmann::ordered_json::parse(read_file(folder / "versions.json")), "", input.versions);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::input, "{}: not valid JSON: {}", (folder / "versions.json").string(), parser_reason(error.what()));
  }
}

// The last part of a path that has a name: "runs/a/" and "runs/a/." are called "a".
std::string name_of(const std::filesystem::path& folder) {
  auto path = std::filesystem::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

}  // namespace

ReportInput read_run_folders(const std::vector<std::filesystem::path>& folders) {
  LACONIC_CHECK(!folders.empty(), "no run folder was given");
  ReportInput input;
  input.title = name_of(folders.front());
  for (const auto& folder : folders) input.runs.push_back({name_of(folder), load_run_series(folder)});
  read_first_folder(folders.front(), input);
  return input;
}

}  // namespace laconic::metrics

#include "laconic/core/config/config.h"

#include <fmt/format.h>

#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/description.h"
#include "laconic/core/config/dumper.h"
#include "laconic/core/config/overrides.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/reader.h"
#include "laconic/core/config/reference.h"
#include "laconic/core/config/unknown_keys.h"
#include "laconic/core/config/yaml_source.h"
#include "laconic/core/config/yaml_text.h"

namespace laconic::config {
namespace {

Description describe(const Visit& visit, const std::string& key = "") {
  Describer describer(key);
  visit(describer);
  return describer.take();
}

// " (did you mean `configs/grpo.yaml`?)" for a path that does not exist.
std::string near_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto folder = path.parent_path();
  std::vector<std::string> names;
  std::filesystem::directory_iterator entries(folder.empty() ? "." : folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    names.push_back(entries->path().filename().string());
  const std::string near = nearest(path.filename().string(), names);
  return near.empty() ? "" : fmt::format(" (did you mean `{}`?)", (folder / near).string());
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    fail(ErrorKind::usage, "{}: expected a YAML file, found a folder", path.string());
  }
  try {
    return read_file(path);
  } catch (const Error& problem) {
    const bool exists = std::filesystem::exists(path, error);
    fail(ErrorKind::usage, "{}: expected a YAML file; {}{}", path.string(), problem.what(),
         exists ? "" : near_file(path));
  }
}

std::string top_level_names(const Visit& visit) {
  std::vector<std::string> names;
  for (const auto& child : describe(visit).children) names.push_back(child.name);
  return join(names, ", ");
}

void read_tree(const Value& root, const std::string& key, const Visit& visit, Problems& problems) {
  Reader reader(root, key, problems);
  visit(reader);
  const auto unknown = reader.unknown_keys();
  if (!unknown.empty()) report_unknown_keys(unknown, describe(visit, key), reader, problems);
}

}  // namespace

std::string yaml_from(const Json& mapping) {
  return block_yaml(mapping);
}

namespace untyped {

void read_from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides, const Visit& visit) {
  read_from_yaml(read_text(path), path.string(), overrides, visit);
}

void read_from_yaml(std::string_view text, const std::string& source, const std::vector<std::string>& overrides,
                    const Visit& visit) {
  Problems problems;
  Value root = parse_yaml(text, source, problems);
  if (root.kind == ValueKind::null) {
    problems.raise();  // not YAML: nothing else can be said
    problems.add(root.key_place, "", "the file holds no values; expected some of the keys " + top_level_names(visit));
  } else if (root.kind != ValueKind::mapping && root.kind != ValueKind::reported) {
    problems.add(root.place, "",
                 fmt::format("expected a mapping with some of the keys {} at the top level, found {}",
                             top_level_names(visit), found_text(root)));
  }
  if (root.kind == ValueKind::mapping) {
    apply_overrides(overrides, root, problems);
    read_tree(root, "", visit, problems);
  }
  problems.raise();
}

void read_from_json(const Json& json, const std::string& key, const Visit& visit) {
  Problems problems;
  const Value root = value_from_json(json);
  if (root.kind == ValueKind::mapping)
    read_tree(root, key, visit, problems);
  else
    problems.add(root.place, key, fmt::format("expected an object, found {}", found_text(root)));
  problems.raise();
}

Json dump_json(const Visit& visit) {
  Dumper dumper;
  visit(dumper);
  return dumper.take();
}

std::string explain(const Visit& visit, const std::string& key) {
  return explanation(describe(visit), key);
}
std::string markdown(const Visit& visit, const std::string& title) {
  return config::markdown(describe(visit), title);
}
Json json_schema(const Visit& visit, const std::string& title) {
  return schema(describe(visit), title);
}

}  // namespace untyped
}  // namespace laconic::config

#include "laconic/cli/config_kind.h"

#include <algorithm>
#include <set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/yaml_source.h"

namespace laconic::cli {
namespace {

// The top-level keys that the file and the overrides set. What is wrong with the text is said when it is read in full.
std::set<std::string> sections(const std::string& path, const std::vector<std::string>& overrides) {
  std::set<std::string> names;
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error&) {
    return names;  // likewise
  }
  config::Problems ignored;
  for (const auto& child : config::parse_yaml(text, path, ignored).children) names.insert(child.key);
  for (const auto& item : overrides) {
    const size_t begin = item.find_first_not_of('-');
    if (begin != std::string::npos) names.insert(item.substr(begin, item.find_first_of(".=", begin) - begin));
  }
  return names;
}

}  // namespace

const std::vector<std::string>& config_kinds() {
  static const std::vector<std::string> kinds = {"train", "sft", "eval", "suite", "plan"};
  return kinds;
}

std::optional<std::string> kind_by_sections(const std::string& path, const std::vector<std::string>& overrides) {
  const auto names = sections(path, overrides);
  const auto any = [&](std::initializer_list<const char*> wanted) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const char* name) { return names.contains(name); });
  };
  if (any({"suite"})) return "suite";
  if (any({"device", "links"})) return "plan";
  const bool samples = any({"rollout", "reward", "eval"});
  const bool updates = any({"optimizer", "train", "checkpoint", "parallel"});
  if (any({"objective", "eval_data", "monitor", "reference"}) || (samples && updates)) return "train";
  if (updates) return "sft";
  if (samples) return "eval";
  // Nothing to go by; a file that cannot be read at all is reported best as what is asked for most.
  std::error_code ignored;
  if (names.empty() || !std::filesystem::exists(path, ignored)) return "train";
  return std::nullopt;
}

std::string kind_hint(const std::string& command, const std::string& path, const std::vector<std::string>& overrides) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";
  const auto kind = kind_by_sections(path, overrides);
  if (!kind || *kind == command) return "";
  return fmt::format("\n{}: by its sections it is a configuration of `laconic {}`", path, *kind);
}

std::string guess_kind(const std::string& path, const std::vector<std::string>& overrides) {
  if (auto kind = kind_by_sections(path, overrides)) return *kind;
  fail(ErrorKind::usage,
       "{}: it may be a configuration of `laconic train`, `sft`, `eval`, `suite` or `plan`; add --kind", path);
}

std::vector<std::string> top_level_keys() {
  return {"seed", "threads", "today"};
}

}  // namespace laconic::cli

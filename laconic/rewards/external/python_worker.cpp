#include "laconic/rewards/external/python_worker.h"

#include <algorithm>
#include <filesystem>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

[[noreturn]] void malformed(std::string_view text) {
  fail(ErrorKind::usage,
       "reward.python: expected FILE.py:FUNCTION, or several separated by commas, each with a name of its own in front "
       "(name=FILE.py:FUNCTION) where it should not be the function's; found `{}`",
       text);
}

PythonFunction parse_one(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) malformed(text);
  PythonFunction function;
  function.name = to_lower(text.substr(colon + 1));
  std::replace(function.name.begin(), function.name.end(), '.', '_');
  const size_t equals = text.find('=');
  if (equals != std::string_view::npos && is_name(text.substr(0, equals))) {
    function.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
  }
  if (!is_name(function.name)) malformed(text);
  function.target = text;
  const std::string file = function.target.substr(0, function.target.rfind(':'));
  if (file.empty()) malformed(text);
  if (file.ends_with(".py") && !std::filesystem::exists(file))
    fail(ErrorKind::usage, "reward.python: {} does not exist", file);
  return function;
}

}  // namespace

std::vector<PythonFunction> parse_python(std::string_view text) {
  std::vector<PythonFunction> functions;
  for (const auto& part : split(text, ',')) {
    functions.push_back(parse_one(trim(part)));
    const auto& name = functions.back().name;
    const auto same = std::count_if(functions.begin(), functions.end(), [&](const auto& f) { return f.name == name; });
    if (same > 1) {
      fail(ErrorKind::usage, "reward.python: two rewards are named `{}`; give one of them another name: {}_2={}", name,
           name, functions.back().target);
    }
  }
  return functions;
}

}  // namespace laconic::rewards

#include "laconic/cli/overrides.h"

#include <algorithm>
#include <string_view>

#include "laconic/core/base/error.h"

namespace laconic::cli {

SplitArguments split_overrides(const Arguments& arguments, const std::vector<std::string>& top_level_keys) {
  SplitArguments parts;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      parts.rest.insert(parts.rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    const size_t equals = argument.find('=');
    const std::string key = argument.starts_with("--") ? argument.substr(2, equals - 2) : "";
    const bool top_level = std::find(top_level_keys.begin(), top_level_keys.end(), key) != top_level_keys.end();
    if (key.empty() || (!top_level && key.find('.') == std::string::npos)) {
      parts.rest.push_back(argument);
    } else if (equals != std::string::npos) {
      parts.overrides.push_back(argument);
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      parts.overrides.push_back(argument + "=" + arguments[++i]);
    } else {
      fail(ErrorKind::usage, "{}: expected a value; write {}=VALUE (a switch is =true or =false)", argument, argument);
    }
  }
  return parts;
}

}  // namespace laconic::cli

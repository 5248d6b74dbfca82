// The tables of notation.cpp: what LaTeX commands and Unicode characters stand for.
#pragma once

#include <optional>
#include <string_view>

namespace laconic::rewards {

// What becomes of a LaTeX command.
struct CommandRule {
  enum class Action { keep, drop, space, wrap, wrap_text, replace, restart };
  Action action = Action::keep;
  std::string_view replacement = {};  // of replace
};

// The rule for \name; nothing for an unknown command.
std::optional<CommandRule> command_rule(std::string_view name);

// What the UTF-8 sequence at the beginning of `text` stands for, and its length in bytes; nothing when it stands for
// itself.
struct UnicodeRule {
  std::string_view replacement;
  size_t bytes = 0;
};
std::optional<UnicodeRule> unicode_rule(std::string_view text);

}  // namespace laconic::rewards

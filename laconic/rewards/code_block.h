// Program text in a response: fenced blocks of Markdown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::rewards {

enum class Language { python, cpp };
const char* to_string(Language language);
// "py", "python3", "c++", ...: as people write behind the opening fence. Nothing for what is neither language.
std::optional<Language> language_of(std::string_view tag);

struct CodeBlock {
  std::string tag;  // the first word behind the opening fence, in lower case
  std::string_view code;
  bool closed = true;
};
// All of them, in order; the last one may not be closed. Linear in the text.
std::vector<CodeBlock> code_blocks(std::string_view text);

struct FoundCode {
  std::string_view code;  // empty when none was found
  Language language = Language::python;
  const char* problem = nullptr;  // why there is none
};
// The last block in the language that is wanted, or in either where none is; where no block names a language, the last
// one without a tag. A block that is not closed is no answer, and earlier ones do not count then.
FoundCode last_code(std::string_view text, std::optional<Language> wanted);

}  // namespace laconic::rewards

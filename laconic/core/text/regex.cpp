#define PCRE2_CODE_UNIT_WIDTH 8
#include "laconic/core/text/regex.h"

#include <pcre2.h>

#include <array>
#include <limits>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

}  // namespace

struct Regex::Compiled {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> limits;
};

Regex::Regex(std::string_view pattern, std::string where) : where_(std::move(where)) {
  const std::string translated = translate_pattern(pattern, where_);
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  // ^ and $ match at every line in Ruby syntax, hence MULTILINE.
  pcre2_code* code = pcre2_compile(units(translated), translated.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                   &error, &error_offset, context.get());
  if (code == nullptr) {
    fail(ErrorKind::unsupported, "{}: regular expression `{}` cannot be used: {} (at byte {} of `{}`)", where_, pattern,
         message_of(error), error_offset, translated);
  }
  auto compiled = std::make_shared<Compiled>();
  compiled->code.reset(code);
  compiled->limits.reset(pcre2_match_context_create(nullptr));
  // Long inputs are legal: a limit on backtracking would make the result depend on the length of the text.
  pcre2_set_match_limit(compiled->limits.get(), std::numeric_limits<uint32_t>::max());
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, matching still works, only slower
  compiled_ = std::move(compiled);
}

Regex Regex::literal(std::string_view literal, std::string where) {
  if (literal.empty()) fail(ErrorKind::unsupported, "{}: an empty pattern string is not supported", where);
  Regex regex("", std::move(where));
  regex.literal_ = literal;
  return regex;
}

void Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  if (!literal_.empty()) {
    for (size_t at = text.find(literal_); at != std::string_view::npos;
         at = text.find(literal_, at + literal_.size())) {
      matches.push_back({at, at + literal_.size()});
    }
    return;
  }
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
  size_t at = 0;
  size_t last_end = std::string_view::npos;
  while (at <= text.size()) {
    // The text was validated when it entered the tokenizer: PCRE2 need not do it again at every match.
    int result = pcre2_match(compiled_->code.get(), units(text), text.size(), at, PCRE2_NO_UTF_CHECK, data.get(),
                             compiled_->limits.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = pcre2_match(compiled_->code.get(), units(text), text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                           data.get(), compiled_->limits.get());
    }
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      fail(ErrorKind::internal, "{}: matching a regular expression failed at byte {}: {}", where_, at,
           message_of(result));
    }
    const Span match{range[0], range[1]};
    if (match.begin == match.end && match.end == last_end) {
      at += at < text.size() ? utf8_length(text[at]) : 1;
      continue;
    }
    matches.push_back(match);
    at = last_end = match.end;
  }
}

}  // namespace laconic::text

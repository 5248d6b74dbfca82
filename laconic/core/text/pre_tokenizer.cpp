#include "laconic/core/text/pre_tokenizer.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "laconic/core/text/byte_alphabet.h"
#include "laconic/core/text/pattern.h"
#include "laconic/core/text/split.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

// Splits every word at the matches that `find` reports in it.
template <typename Find>
void split_words(Words& words, SplitBehavior behavior, bool invert, const Find& find) {
  std::vector<Span> pieces;
  std::vector<Span> matches;
  for (const Span& word : words.spans) {
    matches.clear();
    find(words.view(word), matches);
    append_split(word, matches, behavior, invert, pieces);
  }
  words.spans = std::move(pieces);
}

class SplitByRegex : public PreTokenizer {
 public:
  SplitByRegex(Regex pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void apply(Words& words) const override {
    split_words(words, behavior_, invert_,
                [&](std::string_view text, std::vector<Span>& matches) { pattern_.find_all(text, matches); });
  }

 private:
  Regex pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Every character of a class is one match.
class SplitByCharacter : public PreTokenizer {
 public:
  SplitByCharacter(std::function<bool(char32_t)> matches, SplitBehavior behavior)
      : matches_(std::move(matches)), behavior_(behavior) {}
  void apply(Words& words) const override {
    split_words(words, behavior_, false, [&](std::string_view text, std::vector<Span>& found) {
      for (size_t i = 0; i < text.size();) {
        const size_t length = utf8_length(text[i]);
        if (matches_(code_point_at(text, i))) found.push_back({i, i + length});
        i += length;
      }
    });
  }

 private:
  std::function<bool(char32_t)> matches_;
  SplitBehavior behavior_;
};

// Runs of word characters and runs of other visible characters; whitespace is dropped.
class Whitespace : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    std::vector<Span> pieces;
    for (const Span& word : words.spans) {
      Kind last = Kind::space;
      for (size_t i = word.begin; i < word.end;) {
        const char32_t c = code_point_at(words.text, i);
        const size_t next = i + utf8_length(words.text[i]);
        const Kind kind = is_word(c) ? Kind::word : is_whitespace(c) ? Kind::space : Kind::symbol;
        if (kind != Kind::space && kind == last) {
          pieces.back().end = next;
        } else if (kind != Kind::space) {
          pieces.push_back({i, next});
        }
        last = kind;
        i = next;
      }
    }
    words.spans = std::move(pieces);
  }

 private:
  enum class Kind { word, symbol, space };
};

// Writes bytes in the byte-level alphabet, after GPT-2's own splitting where use_regex is set.
class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex, const std::string& where) : add_prefix_space_(add_prefix_space) {
    if (use_regex) {
      split_.emplace(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", where);
    }
  }

  void apply(Words& words) const override {
    if (add_prefix_space_) prefix_spaces(words);
    if (split_) {
      split_words(words, SplitBehavior::isolated, false,
                  [&](std::string_view text, std::vector<Span>& matches) { split_->find_all(text, matches); });
    }
    std::string mapped;
    mapped.reserve(words.text.size() + words.text.size() / 4);
    for (Span& word : words.spans) {
      const size_t begin = mapped.size();
      for (const char byte : words.view(word)) mapped += alphabet_.character(static_cast<unsigned char>(byte));
      word = {begin, mapped.size()};
    }
    words.text = std::move(mapped);
  }

 private:
  static void prefix_spaces(Words& words) {
    std::string text;
    for (Span& word : words.spans) {
      const size_t begin = text.size();
      if (words.text[word.begin] != ' ') text += ' ';
      text += words.view(word);
      word = {begin, text.size()};
    }
    words.text = std::move(text);
  }

  bool add_prefix_space_;
  std::optional<Regex> split_;
  ByteAlphabet alphabet_;
};

// SentencePiece's visible spaces.
class Metaspace : public PreTokenizer {
 public:
  enum class Prepend { always, first, never };
  Metaspace(const std::string& replacement, Prepend prepend, bool split, const std::string& where)
      : replacement_(replacement), pattern_(Regex::literal(replacement, where)), prepend_(prepend), split_(split) {}

  void apply(Words& words) const override {
    std::string text;
    text.reserve(words.text.size() + words.text.size() / 2);
    bool first = words.at_start;
    for (Span& word : words.spans) {
      const auto from = words.view(word);
      const size_t begin = text.size();
      const bool wanted = prepend_ == Prepend::always || (prepend_ == Prepend::first && first && word.begin == 0);
      if (wanted && !from.starts_with(replacement_) && from[0] != ' ') text += replacement_;
      for (const char c : from) {
        if (c == ' ') {
          text += replacement_;
        } else {
          text += c;
        }
      }
      word = {begin, text.size()};
      first = false;
    }
    words.text = std::move(text);
    if (!split_) return;
    split_words(words, SplitBehavior::merged_with_next, false,
                [&](std::string_view part, std::vector<Span>& matches) { pattern_.find_all(part, matches); });
  }

 private:
  std::string replacement_;
  Regex pattern_;
  Prepend prepend_;
  bool split_;
};

class Sequence : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void apply(Words& words) const override {
    for (const auto& step : steps_) step->apply(words);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

std::unique_ptr<PreTokenizer> make_metaspace(const Node& node) {
  node.only({"replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  auto prepend = node.flag("add_prefix_space", true) ? Metaspace::Prepend::always : Metaspace::Prepend::never;
  if (const auto scheme = node.optional_text("prepend_scheme")) {
    if (*scheme == "always") {
      prepend = Metaspace::Prepend::always;
    } else if (*scheme == "first") {
      prepend = Metaspace::Prepend::first;
    } else if (*scheme == "never") {
      prepend = Metaspace::Prepend::never;
    } else {
      node.child("prepend_scheme").invalid("always, first or never");
    }
  }
  return std::make_unique<Metaspace>(node.text("replacement"), prepend, node.flag("split", true), node.where());
}

std::unique_ptr<PreTokenizer> make_by_character(const Node& node, const std::string& type) {
  if (type == "Digits") {
    node.only({"individual_digits"});
    const bool individual = node.flag("individual_digits", false);
    return std::make_unique<SplitByCharacter>(is_numeric,
                                              individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "Punctuation") {
    node.only({"behavior"});
    const auto behavior = node.has("behavior") ? split_behavior(node.child("behavior")) : SplitBehavior::isolated;
    return std::make_unique<SplitByCharacter>(is_punctuation, behavior);
  }
  if (type == "CharDelimiterSplit") {
    node.only({"delimiter"});
    const std::string delimiter = node.text("delimiter");
    if (delimiter.empty() || utf8_length(delimiter[0]) != delimiter.size())
      node.child("delimiter").invalid("one character");
    const char32_t wanted = code_point_at(delimiter, 0);
    return std::make_unique<SplitByCharacter>([wanted](char32_t c) { return c == wanted; }, SplitBehavior::removed);
  }
  node.only({});
  return std::make_unique<SplitByCharacter>(is_whitespace, SplitBehavior::removed);
}

}  // namespace

Words::Words(std::string whole, bool at_start_of_input) : text(std::move(whole)), at_start(at_start_of_input) {
  if (!text.empty()) spans.push_back({0, text.size()});
}

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Node& node) {
  if (node.is_null()) return std::make_unique<Sequence>(std::vector<std::unique_ptr<PreTokenizer>>());
  const std::string type = node.text("type");
  if (type == "Sequence") {
    node.only({"pretokenizers"});
    std::vector<std::unique_ptr<PreTokenizer>> steps;
    for (const Node& step : node.list("pretokenizers")) steps.push_back(make_pre_tokenizer(step));
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "ByteLevel") {
    node.only({"add_prefix_space", "trim_offsets", "use_regex"});  // trim_offsets concerns offsets, which are not kept
    return std::make_unique<ByteLevel>(node.flag("add_prefix_space", true), node.flag("use_regex", true), node.where());
  }
  if (type == "Split") {
    node.only({"pattern", "behavior", "invert"});
    return std::make_unique<SplitByRegex>(make_pattern(node.child("pattern")), split_behavior(node.child("behavior")),
                                          node.flag("invert", false));
  }
  if (type == "Whitespace") {
    node.only({});
    return std::make_unique<Whitespace>();
  }
  if (type == "Metaspace") return make_metaspace(node);
  if (type == "Digits" || type == "Punctuation" || type == "WhitespaceSplit" || type == "CharDelimiterSplit") {
    return make_by_character(node, type);
  }
  node.unsupported("the pre-tokenizer `" + type + "`");
}

}  // namespace laconic::text

#include "laconic/core/config/yaml_source.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "laconic/core/base/strings.h"

namespace laconic::config {
namespace {

// Turns byte offsets of a text into lines and columns counted in characters.
class Locator {
 public:
  Locator(std::string_view text, Place base) : text_(text), base_(std::move(base)) {}

  // Inside of an override there are no lines: the override is named as a whole.
  Place at(size_t offset) const {
    Place place = base_;
    if (place.rank > 0) return place;
    offset = std::min(offset, text_.size());
    const auto before = text_.substr(0, offset);
    place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    const size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    place.column = 1;
    for (const char c : before.substr(line_begin)) place.column += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return place;
  }
  Place at(const YAML::Mark& mark) const {
    Place place = base_;
    if (place.rank > 0 || mark.is_null()) return place;
    // The parser counted the lines already; only the column needs the text.
    place.line = mark.line + 1;
    const size_t end = std::min(static_cast<size_t>(std::max(mark.pos, 0)), text_.size());
    const size_t begin = end - std::min(end, static_cast<size_t>(std::max(mark.column, 0)));
    place.column = 1;
    for (const char c : text_.substr(begin, end - begin))
      place.column += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return place;
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  Place base_;
};

// Whether the quoted scalar that begins at `begin` ends with its quote. The parser takes the end of the text for one.
bool quote_closes(std::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '\'' && i + 1 < text.size() && text[i + 1] == quote)
        ++i;
      else
        return true;
    }
  }
  return false;
}

// Builds the tree from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Locator& locator, Problems& problems) : locator_(locator), problems_(problems) {}

  Value take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make(ValueKind::null, mark, "")); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    // Expanding aliases would let a few lines stand for any amount of data and hide where a value comes from.
    problems_.add(locator_.at(mark), "", "aliases (*name) are not supported; write the value out");
    add(make(ValueKind::reported, mark, ""));
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    problems_.add(locator_.at(mark), "",
                  fmt::format("anchors (&{}) are not supported; write the value out", shortened(name)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& text) override {
    Value value = make(ValueKind::scalar, mark, tag);
    value.text = text;
    if (tag == "!") {
      value.style = ScalarStyle::quoted;
      const auto begin = static_cast<size_t>(std::max(mark.pos, 0));
      const auto whole = locator_.text();
      if (begin < whole.size() && (whole[begin] == '"' || whole[begin] == '\'') && !quote_closes(whole, begin))
        throw YAML::ParserException(mark, "the quote that begins here is not closed");
    }
    add(std::move(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(make(ValueKind::list, mark, tag));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(make(ValueKind::mapping, mark, tag));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Value value;
    bool has_key = false;  // of a mapping: the key of the next value was read
    std::string key;
    Place key_place;
    bool key_usable = false;           // a complex or repeated key: its value is read and dropped
    std::map<std::string, int> lines;  // of each key
  };

  Value make(ValueKind kind, const YAML::Mark& mark, const std::string& tag) {
    Value value;
    value.kind = kind;
    value.place = locator_.at(mark);
    if (!tag.empty() && tag != "?" && tag != "!")
      problems_.add(value.place, "", fmt::format("tags ({}) are not supported; write the value alone", shortened(tag)));
    return value;
  }

  void open(Value value) {
    if (levels_.size() >= static_cast<size_t>(kMaxDepth))
      throw YAML::ParserException(YAML::Mark::null_mark(), fmt::format("nested more than {} levels deep", kMaxDepth));
    levels_.push_back({});
    levels_.back().value = std::move(value);
  }

  void close() {
    Value value = std::move(levels_.back().value);
    levels_.pop_back();
    add(std::move(value));
  }

  // A finished value: the root, an item, a key or what stands under one.
  void add(Value value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (level.value.kind == ValueKind::list) {
      value.key_place = value.place;
      level.value.children.push_back(std::move(value));
    } else if (!level.has_key) {
      take_key(level, value);
    } else {
      level.has_key = false;
      if (!level.key_usable) return;
      value.key = level.key;
      value.key_place = level.key_place;
      level.value.children.push_back(std::move(value));
    }
  }

  void take_key(Level& level, const Value& key) {
    level.has_key = true;
    level.key_usable = false;
    level.key = key.text;
    level.key_place = key.place;
    if (key.kind != ValueKind::scalar) {
      problems_.add(key.place, "", fmt::format("expected a key, which is a word, found {}", found_text(key)));
      return;
    }
    const auto [first, added] = level.lines.emplace(key.text, key.place.line);
    if (!added) {
      const std::string where = key.place.line > 0 ? fmt::format(" (first in line {})", first->second) : "";
      problems_.add(key.place, "",
                    fmt::format("the key `{}` stands twice in one mapping{}", shortened(key.text), where));
      return;
    }
    level.key_usable = true;
  }

  const Locator& locator_;
  Problems& problems_;
  std::vector<Level> levels_;
  Value root_;
};

// The first byte that no YAML text may hold, with what to say about it.
struct BadByte {
  size_t offset = std::string_view::npos;
  std::string message = {};
};

BadByte find_bad_byte(std::string_view text) {
  if (const size_t bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    return {bad, fmt::format("expected UTF-8 text, found the byte 0x{:02X} at offset {}",
                             static_cast<unsigned char>(text[bad]), bad)};
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool line_end = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) {
      return {i, fmt::format("the control character 0x{:02X} (at byte offset {}) may not stand in YAML{}", c, i,
                             c == '\r' ? "; expected lines that end with \\n or \\r\\n" : "")};
    }
  }
  return {};
}

// yaml-cpp's wording where it would mislead.
std::string syntax_message(const YAML::Exception& error, std::string_view text) {
  std::string message = error.msg;
  const std::map<std::string, std::string> plainer = {
      {"bad file", "nested too deeply"},
      {"illegal map value",
       "a `:` where none may stand: a value with `: ` in it needs quotes, and keys of one mapping "
       "the same indentation"},
      {"end of map not found", "expected the next key of the mapping, or a line with the indentation of one above"},
  };
  if (const auto found = plainer.find(message); found != plainer.end()) message = found->second;
  const size_t end = std::min(static_cast<size_t>(std::max(error.mark.pos, 0)), text.size());
  const size_t line = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
  const auto start = text.substr(line == std::string_view::npos ? 0 : line + 1);
  const auto indentation = start.substr(0, start.find_first_not_of(" \t"));
  if (indentation.find('\t') != std::string_view::npos) message += " (the line is indented with a tab; use spaces)";
  return message;
}

struct Parsed {
  Value root;
  std::string error;  // not YAML at all: why
  Place error_place;
};

Parsed parse(std::string_view text, const Place& base, Problems& problems) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  Parsed parsed;
  if (const auto bad = find_bad_byte(text); !bad.message.empty()) {
    parsed.error_place = Locator(text, base).at(bad.offset);
    parsed.error = bad.message;
    return parsed;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const Locator locator(text, base);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(locator, problems);
    if (!parser.HandleNextDocument(builder)) return parsed;
    parsed.root = builder.take_root();

    // Parsed only to say that it is there; its own problems do not matter.
    struct SecondDocument : TreeBuilder {
      using TreeBuilder::TreeBuilder;
      std::optional<YAML::Mark> start;
      void OnDocumentStart(const YAML::Mark& mark) override { start = mark; }
    };
    Problems ignored;
    SecondDocument second(locator, ignored);
    parser.HandleNextDocument(second);
    if (second.start)
      problems.add(locator.at(*second.start), "", "expected one YAML document, found the start of another one");
  } catch (const YAML::Exception& error) {
    parsed.root = {};
    parsed.error = syntax_message(error, text);
    parsed.error_place = locator.at(error.mark);
  }
  return parsed;
}

}  // namespace

Value parse_yaml(std::string_view text, const std::string& source, Problems& problems) {
  Place base;
  base.source = source;
  Parsed parsed = parse(text, base, problems);
  parsed.root.key_place = base;
  if (!parsed.error.empty()) problems.add(parsed.error_place, "", parsed.error);
  return std::move(parsed.root);
}

Value parse_yaml_value(std::string_view text, const Place& place) {
  Problems problems;
  Parsed parsed = parse(text, place, problems);
  Value value = std::move(parsed.root);
  value.place = place;
  value.raw = std::string(text);
  if (trim(text).empty()) {  // `--model.tokenizer=` means the empty text; null is written out
    value.kind = ValueKind::scalar;
    value.style = ScalarStyle::quoted;
    return value;
  }
  const std::string reason = parsed.error.empty() ? problems.first_message() : parsed.error;
  if (!reason.empty()) {
    value.kind = ValueKind::broken;
    value.text = reason;
  }
  return value;
}

}  // namespace laconic::config

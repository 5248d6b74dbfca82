#include "laconic/core/text/tokenizer_json.h"

#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::text {

namespace {

using nlohmann::json;

// nlohmann's events, sorted into the three places.
class Reader {
 public:
  Reader(TokenizerJson& out, const std::string& file) : out_(out), file_(file) {}

  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(int64_t value) { return number(value); }
  bool number_unsigned(uint64_t value) { return number(value); }
  bool number_float(double value, const std::string&) { return scalar(value); }
  bool binary(json::binary_t&) { return false; }

  bool string(std::string& value) {
    if (place_ != Place::merges) return scalar(std::move(value));
    if (merge_depth_ == 1) {  // ["a", "b"]
      if (pair_parts_ == 2) bad_merge();
      (pair_parts_++ == 0 ? out_.merges.back().first : out_.merges.back().second) = std::move(value);
      return true;
    }
    const size_t space = value.find(' ');  // "a b"
    if (space == std::string::npos || value.find(' ', space + 1) != std::string::npos) bad_merge();
    out_.merges.emplace_back(value.substr(0, space), value.substr(space + 1));
    return true;
  }

  bool key(std::string& value) {
    key_ = std::move(value);
    return true;
  }

  bool start_object(size_t) {
    refuse_inside_table();
    if (at_model_member("vocab")) {
      place_ = Place::vocab;
      return true;
    }
    open(json::object());
    return true;
  }
  bool end_object() {
    if (place_ == Place::vocab) {
      place_ = Place::tree;
    } else {
      stack_.pop_back();
    }
    return true;
  }

  bool start_array(size_t) {
    if (place_ == Place::merges) {
      if (++merge_depth_ > 1) bad_merge();
      out_.merges.emplace_back();
      pair_parts_ = 0;
      return true;
    }
    refuse_inside_table();
    if (at_model_member("merges")) {
      place_ = Place::merges;
      out_.has_merges = true;
      return true;
    }
    open(json::array());
    return true;
  }
  bool end_array() {
    if (place_ == Place::merges && merge_depth_ == 1) {
      if (pair_parts_ != 2) bad_merge();
      merge_depth_ = 0;
    } else if (place_ == Place::merges) {
      place_ = Place::tree;
    } else {
      stack_.pop_back();
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    fail(ErrorKind::input, "{}: not valid JSON (byte {}): {}", file_, position, parser_reason(error.what()));
  }

 private:
  enum class Place { tree, vocab, merges };

  [[noreturn]] void bad_merge() const {
    fail(ErrorKind::input, "{}: model.merges[{}]: expected a pair of tokens, [\"a\", \"b\"] or \"a b\"", file_,
         out_.merges.size() - (merge_depth_ > 0 && !out_.merges.empty() ? 1 : 0));
  }

  void refuse_inside_table() const {
    if (place_ == Place::vocab)
      fail(ErrorKind::input, "{}: model.vocab: the id of `{}` is not an integer", file_, key_);
    if (place_ == Place::merges) bad_merge();
  }

  bool at_model_member(std::string_view name) const {
    return stack_.size() == 2 && in_model_ && stack_.back()->is_object() && key_ == name;
  }

  template <typename T>
  bool number(T value) {
    if (place_ == Place::vocab) {
      if (value < T{0} || value > static_cast<T>(std::numeric_limits<int32_t>::max())) refuse_inside_table();
      out_.vocab.emplace_back(std::move(key_), static_cast<int32_t>(value));
      key_.clear();
      return true;
    }
    return scalar(value);
  }

  template <typename T>
  bool scalar(T value) {
    refuse_inside_table();
    put(json(std::move(value)));
    return true;
  }

  json* put(json value) {
    if (stack_.empty()) {
      out_.rest = std::move(value);
      return &out_.rest;
    }
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json& member = parent[key_];
    member = std::move(value);
    return &member;
  }

  // A container is only written through the top of the stack, so the pointers below stay valid.
  void open(json value) {
    constexpr size_t kMaxDepth = 100;  // what reads the tree is recursive
    if (stack_.size() >= kMaxDepth) fail(ErrorKind::input, "{}: nested more than {} deep", file_, kMaxDepth);
    if (stack_.size() == 1) in_model_ = key_ == "model";
    stack_.push_back(put(std::move(value)));
  }

  TokenizerJson& out_;
  const std::string& file_;
  std::vector<json*> stack_;
  std::string key_;
  Place place_ = Place::tree;
  bool in_model_ = false;
  int merge_depth_ = 0;
  int pair_parts_ = 0;
};

}  // namespace

TokenizerJson parse_tokenizer_json(std::string_view text, const std::string& file) {
  TokenizerJson out;
  Reader reader(out, file);
  json::sax_parse(text, &reader);
  if (!out.rest.is_object()) fail(ErrorKind::input, "{}: expected a JSON object", file);
  return out;
}

nlohmann::json parse_json(std::string_view text, const std::string& file) {
  if (const size_t levels = json_levels(text); levels > kMaxJsonLevels)
    fail(ErrorKind::input, "{}: nested {} levels deep, expected at most {}", file, levels, kMaxJsonLevels);
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    fail(ErrorKind::input, "{}: not valid JSON: {}", file, parser_reason(error.what()));
  }
}

}  // namespace laconic::text

#include "laconic/core/text/decoder.h"

#include <optional>
#include <utility>

#include "laconic/core/text/byte_alphabet.h"
#include "laconic/core/text/pattern.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

// Bytes of a text that arrive in any portions; hands on whole characters, and U+FFFD for each maximal invalid part.
class Utf8Assembler {
 public:
  void push(std::string_view bytes, const PieceSink& next) {
    pending_.append(bytes);
    take(next, false);
  }
  void finish(const PieceSink& next) { take(next, true); }

 private:
  void take(const PieceSink& next, bool at_end) {
    std::string done;
    size_t used = 0;
    while (used < pending_.size()) {
      const auto rest = std::string_view(pending_).substr(used);
      auto step = utf8_step(rest);
      if (step.length == 0 && !at_end) break;
      if (step.length == 0) step = {rest.size(), false};
      done.append(step.valid ? rest.substr(0, step.length) : kReplacementCharacter);
      used += step.length;
    }
    pending_.erase(0, used);
    if (!done.empty()) next(done);
  }

  std::string pending_;
};

// Characters of the byte-level alphabet back to bytes. A token with any other character stands for its own UTF-8.
class ByteLevelStage : public DecodeStage {
 public:
  explicit ByteLevelStage(std::shared_ptr<const ByteAlphabet> alphabet) : alphabet_(std::move(alphabet)) {}

  void push(std::string_view token, const PieceSink& next) override {
    std::string bytes;
    for (size_t i = 0; i < token.size(); i += utf8_length(token[i])) {
      const int byte = alphabet_->byte(code_point_at(token, i));
      if (byte < 0) {
        bytes = token;
        break;
      }
      bytes.push_back(static_cast<char>(byte));
    }
    assembler_.push(bytes, next);
  }
  void finish(const PieceSink& next) override { assembler_.finish(next); }

 private:
  std::shared_ptr<const ByteAlphabet> alphabet_;  // shared by all decodings of one tokenizer
  Utf8Assembler assembler_;
};

// Runs of <0xXX> tokens become their bytes if those are valid UTF-8, else one U+FFFD for each; whether they are is
// known at the end of the run.
class ByteFallbackStage : public DecodeStage {
 public:
  void push(std::string_view token, const PieceSink& next) override {
    if (const auto byte = byte_of(token)) {
      run_.push_back(static_cast<char>(*byte));
      return;
    }
    finish(next);
    next(token);
  }

  void finish(const PieceSink& next) override {
    if (run_.empty()) return;
    bool valid = true;
    for (size_t i = 0; i < run_.size() && valid;) {
      const auto step = utf8_step(std::string_view(run_).substr(i));
      valid = step.valid && step.length > 0;
      i += step.length;
    }
    const std::string run = std::exchange(run_, {});
    if (valid) return next(run);
    for (size_t i = 0; i < run.size(); ++i) next(kReplacementCharacter);
  }

 private:
  static std::optional<unsigned char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    const auto digit = [](char c) {
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                    : -1;
    };
    const int high = digit(token[3]);
    const int low = digit(token[4]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<unsigned char>(16 * high + low);
  }

  std::string run_;
};

class MetaspaceStage : public DecodeStage {
 public:
  MetaspaceStage(std::string replacement, bool drop_first) : replacement_(std::move(replacement)), drop_(drop_first) {}
  void push(std::string_view token, const PieceSink& next) override {
    std::string out;
    for (size_t i = 0; i < token.size();) {
      const size_t length = utf8_length(token[i]);
      const auto character = token.substr(i, length);
      if (character != replacement_) {
        out += character;
      } else if (!drop_) {
        out += ' ';
      }
      i += length;
    }
    drop_ = false;
    next(out);
  }

 private:
  std::string replacement_;
  bool drop_;  // in the first token the visible spaces were added by the pre-tokenizer
};

class ReplaceStage : public DecodeStage {
 public:
  ReplaceStage(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void push(std::string_view token, const PieceSink& next) override { next(replace_all(token, pattern_, content_)); }

 private:
  Regex pattern_;
  std::string content_;
};

// Drops up to `start` leading and `stop` trailing repetitions of one character: of every token, or (fused) of the text.
class StripStage : public DecodeStage {
 public:
  StripStage(std::string content, size_t start, size_t stop, bool fused)
      : content_(std::move(content)), start_(start), stop_(stop), fused_(fused), start_left_(start) {}

  void push(std::string_view piece, const PieceSink& next) override {
    if (!fused_) start_left_ = start_;
    while (start_left_ > 0 && piece.starts_with(content_)) {
      piece.remove_prefix(content_.size());
      --start_left_;
    }
    if (piece.empty()) return;
    if (fused_) start_left_ = 0;
    std::string text = std::exchange(held_, {});
    text.append(piece);
    size_t kept = text.size();
    for (size_t n = 0; n < stop_ && std::string_view(text).substr(0, kept).ends_with(content_); ++n) {
      kept -= content_.size();
    }
    if (fused_) held_ = text.substr(kept);  // trailing only if nothing follows
    text.resize(kept);
    next(text);
  }

 private:
  std::string content_;
  size_t start_;
  size_t stop_;
  bool fused_;
  size_t start_left_;
  std::string held_;
};

class JoinStage : public DecodeStage {
 public:
  void push(std::string_view token, const PieceSink& next) override {
    if (!first_) next(" ");
    first_ = false;
    next(token);
  }

 private:
  bool first_ = true;
};

}  // namespace

Decoder::Decoder(const Node& node) {
  if (node.is_null()) {
    makers_.emplace_back([] { return std::make_unique<JoinStage>(); });
  } else {
    add(node);
  }
}

void Decoder::add(const Node& node) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    node.only({"decoders"});
    for (const Node& stage : node.list("decoders")) add(stage);
  } else if (type == "ByteLevel") {
    node.only({"add_prefix_space", "trim_offsets", "use_regex"});  // none of them concerns decoding
    const auto alphabet = std::make_shared<const ByteAlphabet>();
    makers_.emplace_back([alphabet] { return std::make_unique<ByteLevelStage>(alphabet); });
    fused_ = true;
  } else if (type == "ByteFallback") {
    node.only({});
    if (fused_) node.unsupported("ByteFallback behind a fusing decoder");
    makers_.emplace_back([] { return std::make_unique<ByteFallbackStage>(); });
  } else if (type == "Metaspace") {
    node.only({"replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
    const auto scheme = node.optional_text("prepend_scheme");
    const bool drop_first = scheme ? *scheme != "never" : node.flag("add_prefix_space", true);
    const std::string replacement = node.text("replacement");
    if (fused_) node.unsupported("Metaspace behind a fusing decoder");
    makers_.emplace_back([=] { return std::make_unique<MetaspaceStage>(replacement, drop_first); });
  } else if (type == "Fuse") {
    node.only({});
    fused_ = true;
  } else if (type == "Strip") {
    add_strip(node);
  } else if (type == "Replace") {
    add_replace(node);
  } else {
    node.unsupported("the decoder `" + type + "`");
  }
}

void Decoder::add_strip(const Node& node) {
  node.only({"content", "start", "stop"});
  const std::string content = node.text("content");
  const int64_t start = node.integer("start");
  const int64_t stop = node.integer("stop");
  if (content.empty() || start < 0 || stop < 0) node.invalid("a character and two counts");
  const bool fused = fused_;
  makers_.emplace_back([=] {
    return std::make_unique<StripStage>(content, static_cast<size_t>(start), static_cast<size_t>(stop), fused);
  });
}

void Decoder::add_replace(const Node& node) {
  node.only({"pattern", "content"});
  const Regex pattern = make_pattern(node.child("pattern"));
  const std::string content = node.text("content");
  // On a stream of parts only a match of one character cannot lie across two parts.
  const Node raw = node.child("pattern");
  const auto literal = raw.is_string() ? raw.as_text() : raw.optional_text("String").value_or("");
  if (fused_ && (literal.empty() || utf8_length(literal[0]) != literal.size())) {
    node.unsupported("Replace behind a fusing decoder");
  }
  makers_.emplace_back([=] { return std::make_unique<ReplaceStage>(pattern, content); });
}

std::vector<std::unique_ptr<DecodeStage>> Decoder::stages() const {
  std::vector<std::unique_ptr<DecodeStage>> stages;
  for (const Maker& make : makers_) stages.push_back(make());
  return stages;
}

void DecodeRun::push_from(size_t stage, std::string_view piece, std::string& out) {
  if (stage == stages_.size()) {
    out.append(piece);
    return;
  }
  stages_[stage]->push(piece, [&, stage](std::string_view part) { push_from(stage + 1, part, out); });
}

void DecodeRun::finish(std::string& out) {
  for (size_t stage = 0; stage < stages_.size(); ++stage) {
    stages_[stage]->finish([&, stage](std::string_view part) { push_from(stage + 1, part, out); });
  }
}

}  // namespace laconic::text

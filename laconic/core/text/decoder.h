// The "decoder" of a tokenizer.json as a pipeline that works token by token, so that decoding at once and decoding as a
// stream are the same computation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

// Takes the pieces that a stage hands on.
using PieceSink = std::function<void(std::string_view)>;

// One stage of one decoding. Holds state between pieces: not shared.
class DecodeStage {
 public:
  virtual ~DecodeStage() = default;
  virtual void push(std::string_view piece, const PieceSink& next) = 0;
  // The input has ended: hands on what was held back.
  virtual void finish(const PieceSink&) {}
};

// What a tokenizer keeps: makes the stages of a new decoding. Immutable, thread-safe.
class Decoder {
 public:
  // ByteLevel, Metaspace, ByteFallback, Fuse, Strip, Replace, Sequence; null joins tokens with one space. Other types,
  // and stages behind a fusing stage that cannot work on a stream, are Errors of kind unsupported.
  explicit Decoder(const Node& node);

  std::vector<std::unique_ptr<DecodeStage>> stages() const;

 private:
  using Maker = std::function<std::unique_ptr<DecodeStage>()>;
  void add(const Node& node);
  void add_replace(const Node& node);
  void add_strip(const Node& node);

  std::vector<Maker> makers_;
  bool fused_ = false;  // the stages so far hand on parts of one text rather than tokens
};

// A running decoding: stages chained.
class DecodeRun {
 public:
  explicit DecodeRun(const Decoder& decoder) : stages_(decoder.stages()) {}
  // Appends what is complete after this token.
  void push(std::string_view token, std::string& out) { push_from(0, token, out); }
  void finish(std::string& out);

 private:
  void push_from(size_t stage, std::string_view piece, std::string& out);

  std::vector<std::unique_ptr<DecodeStage>> stages_;
};

}  // namespace laconic::text

// The models of a tokenizer.json: they turn one pre-tokenized word into token ids.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace laconic::text {

// Token strings and ids, both ways. Ids need not be contiguous. Immutable after construction.
class Vocabulary {
 public:
  Vocabulary() = default;
  // Duplicate ids or tokens are an Error of kind input that begins with `where`.
  Vocabulary(std::vector<std::pair<std::string, int32_t>>&& entries, const std::string& where);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  std::optional<int32_t> find(std::string_view token) const;
  // nullptr where the id has no token.
  const std::string* token(int32_t id) const;
  // One more than the greatest id.
  int32_t limit() const { return static_cast<int32_t>(present_.size()); }

 private:
  std::vector<std::string> tokens_;
  std::vector<bool> present_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views into tokens_, whose buffer survives a move
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the ids of one non-empty word of valid UTF-8. Thread-safe.
  virtual void encode_word(std::string_view word, std::vector<int32_t>& ids) const = 0;
  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  explicit TokenModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  Vocabulary vocabulary_;
};

// Whole words; an unknown word becomes the unknown token, or an Error of kind input where there is none.
class WordLevelModel : public TokenModel {
 public:
  WordLevelModel(Vocabulary vocabulary, std::optional<std::string> unknown, std::string where);
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const override;

 private:
  std::optional<int32_t> unknown_;
  std::string where_;
};

struct BpeOptions {
  std::optional<std::string> unknown;  // token for characters outside the vocabulary
  bool fuse_unknown = false;           // neighbouring unknown characters become one token
  bool byte_fallback = false;          // unknown characters become <0xXX> tokens where the vocabulary has them
  bool ignore_merges = false;          // a word that is a token is that token, whatever the merges say
};

using MergeList = std::vector<std::pair<std::string, std::string>>;

// Byte-pair encoding (Sennrich et al., 2016): the pair of neighbours with the lowest rank is merged, leftmost first,
// until no pair is left. O(n log n) in the length of the word.
class BpeModel : public TokenModel {
 public:
  // A merge whose parts or result are not in the vocabulary is an Error of kind input that begins with `where`.
  BpeModel(Vocabulary vocabulary, const MergeList& merges, const BpeOptions& options, const std::string& where);
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const override;

 private:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };
  struct Slot {
    uint64_t key;
    Merge merge;
  };

  void initial_ids(std::string_view word, std::vector<int32_t>& ids) const;
  bool append_byte_tokens(std::string_view character, std::vector<int32_t>& ids) const;
  const Merge* find_merge(int32_t left, int32_t right) const;
  void insert_merge(int32_t left, int32_t right, Merge merge);
  void merge_short(std::vector<int32_t>& ids, size_t first) const;
  void merge_long(std::vector<int32_t>& ids, size_t first) const;

  BpeOptions options_;
  std::string where_;
  std::optional<int32_t> unknown_;
  std::array<int32_t, 256> byte_tokens_{};     // <0x00> .. <0xFF>, -1 where absent
  std::array<int32_t, 0x400> low_characters_;  // ids of one-character tokens below U+0400, -1 where absent
  std::vector<Slot> slots_;                    // open addressing, power of two, at most half full
};

}  // namespace laconic::text

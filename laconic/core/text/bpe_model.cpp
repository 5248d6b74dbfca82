// Byte-pair encoding. Two ways to find the next merge, with the same result: short words scan an array of ranks, long
// ones (text without pre-tokenizer, long runs of letters) use a heap over a linked list.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/text/token_model.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

constexpr size_t kShortWord = 32;
constexpr uint64_t kFreeSlot = std::numeric_limits<uint64_t>::max();
constexpr uint32_t kNoMerge = std::numeric_limits<uint32_t>::max();

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

size_t slot_of(uint64_t key, size_t mask) {
  const uint64_t mixed = key * 0x9E3779B97F4A7C15ULL;
  return static_cast<size_t>(mixed ^ (mixed >> 32)) & mask;
}

}  // namespace

BpeModel::BpeModel(Vocabulary vocabulary, const MergeList& merges, const BpeOptions& options, const std::string& where)
    : TokenModel(std::move(vocabulary)), options_(options), where_(where) {
  if (options_.unknown) {
    unknown_ = vocabulary_.find(*options_.unknown);
    if (!unknown_) fail(ErrorKind::input, "{}: unk_token `{}` is not in the vocabulary", where, *options_.unknown);
  }
  for (size_t c = 0; c < low_characters_.size(); ++c) {
    std::string character;
    append_utf8(static_cast<char32_t>(c), character);
    low_characters_[c] = vocabulary_.find(character).value_or(-1);
  }
  for (size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    byte_tokens_[byte] = vocabulary_.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  }
  slots_.assign(std::bit_ceil(2 * merges.size() + 2), Slot{kFreeSlot, {}});
  std::string joined;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    joined.assign(left).append(right);
    const auto left_id = vocabulary_.find(left);
    const auto right_id = vocabulary_.find(right);
    const auto id = vocabulary_.find(joined);
    if (!left_id || !right_id || !id) {
      fail(ErrorKind::input, "{}: merge {} (`{}` `{}`): `{}` is not in the vocabulary", where, rank, left, right,
           !left_id    ? left
           : !right_id ? right
                       : joined);
    }
    insert_merge(*left_id, *right_id, {static_cast<uint32_t>(rank), *id});
  }
}

void BpeModel::insert_merge(int32_t left, int32_t right, Merge merge) {
  const uint64_t key = pair_key(left, right);
  const size_t mask = slots_.size() - 1;
  size_t at = slot_of(key, mask);
  while (slots_[at].key != kFreeSlot && slots_[at].key != key) at = (at + 1) & mask;
  slots_[at] = {key, merge};  // of a repeated pair the last rank counts, as in the reference
}

const BpeModel::Merge* BpeModel::find_merge(int32_t left, int32_t right) const {
  const uint64_t key = pair_key(left, right);
  const size_t mask = slots_.size() - 1;
  for (size_t at = slot_of(key, mask); slots_[at].key != kFreeSlot; at = (at + 1) & mask) {
    if (slots_[at].key == key) return &slots_[at].merge;
  }
  return nullptr;
}

bool BpeModel::append_byte_tokens(std::string_view character, std::vector<int32_t>& ids) const {
  for (const char byte : character) {
    if (byte_tokens_[static_cast<unsigned char>(byte)] < 0) return false;
  }
  for (const char byte : character) ids.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
  return true;
}

void BpeModel::initial_ids(std::string_view word, std::vector<int32_t>& ids) const {
  bool after_unknown = false;
  for (size_t i = 0; i < word.size();) {
    const auto character = word.substr(i, utf8_length(word[i]));
    const char32_t c = code_point_at(word, i);
    i += character.size();
    const int32_t id = c < low_characters_.size() ? low_characters_[c] : vocabulary_.find(character).value_or(-1);
    if (id >= 0) {
      ids.push_back(id);
      after_unknown = false;
    } else if (options_.byte_fallback && append_byte_tokens(character, ids)) {
      after_unknown = false;
    } else if (unknown_) {
      if (!(after_unknown && options_.fuse_unknown)) ids.push_back(*unknown_);
      after_unknown = true;
    } else {
      fail(ErrorKind::input, "{}: no token for the character U+{:04X} (`{}`), and no unk_token", where_,
           static_cast<uint32_t>(c), character);
    }
  }
}

void BpeModel::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  if (options_.ignore_merges) {
    if (const auto id = vocabulary_.find(word)) {
      ids.push_back(*id);
      return;
    }
  }
  const size_t first = ids.size();
  initial_ids(word, ids);
  if (ids.size() - first <= kShortWord) {
    merge_short(ids, first);
  } else {
    merge_long(ids, first);
  }
}

void BpeModel::merge_short(std::vector<int32_t>& ids, size_t first) const {
  std::array<Merge, kShortWord> merges;  // merges[i]: what symbols i and i + 1 become
  int32_t* symbols = ids.data() + first;
  size_t count = ids.size() - first;
  const auto look_up = [&](size_t i) {
    const Merge* found = find_merge(symbols[i], symbols[i + 1]);
    merges[i] = found != nullptr ? *found : Merge{kNoMerge, -1};
  };
  for (size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == kNoMerge) break;
    symbols[best] = merges[best].id;
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    if (best + 2 < count) std::copy(&merges[best + 2], &merges[0] + count - 1, &merges[best + 1]);
    --count;
    if (best > 0) look_up(best - 1);
    if (best + 1 < count) look_up(best);
  }
  ids.resize(first + count);
}

void BpeModel::merge_long(std::vector<int32_t>& ids, size_t first) const {
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
    Merge merge;  // with the next symbol; kNoMerge where there is none, or once the symbol is part of another
  };
  LACONIC_CHECK(ids.size() - first < static_cast<size_t>(std::numeric_limits<int32_t>::max()), "a word of {} symbols",
                ids.size() - first);
  const auto count = static_cast<int32_t>(ids.size() - first);
  std::vector<Symbol> symbols(static_cast<size_t>(count));
  const auto symbol = [&](int32_t i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };
  for (int32_t i = 0; i < count; ++i) {
    symbol(i) = {ids[first + static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1, {kNoMerge, -1}};
  }
  // Rank and place of a merge in one number: the least comes first. An entry whose place has another merge by now is
  // stale.
  std::vector<uint64_t> heap;
  heap.reserve(static_cast<size_t>(count));
  const auto look_up = [&](int32_t at) {
    Symbol& left = symbol(at);
    const Merge* found = left.next >= 0 ? find_merge(left.id, symbol(left.next).id) : nullptr;
    left.merge = found != nullptr ? *found : Merge{kNoMerge, -1};
    if (found != nullptr) heap.push_back((static_cast<uint64_t>(found->rank) << 32) | static_cast<uint32_t>(at));
    return found != nullptr;
  };
  const auto offer = [&](int32_t at) {
    if (at >= 0 && look_up(at)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (int32_t i = 0; i < count; ++i) look_up(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto at = static_cast<int32_t>(heap.back() & std::numeric_limits<uint32_t>::max());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    Symbol& left = symbol(at);
    if (left.merge.rank != rank) continue;
    Symbol& right = symbol(left.next);
    left.id = left.merge.id;
    left.next = right.next;
    right.merge.rank = kNoMerge;
    if (left.next >= 0) symbol(left.next).previous = at;
    offer(left.previous);
    offer(at);
  }
  size_t end = first;
  for (int32_t i = 0; i >= 0; i = symbol(i).next) ids[end++] = symbol(i).id;
  ids.resize(end);
}

}  // namespace laconic::text

#include "laconic/core/text/token_model.h"

#include <algorithm>

#include "laconic/core/base/error.h"

namespace laconic::text {

namespace {
// Far above any real vocabulary: a stray id must not make the tables grow without bound.
constexpr int32_t kMaxId = 1 << 24;
}  // namespace

Vocabulary::Vocabulary(std::vector<std::pair<std::string, int32_t>>&& entries, const std::string& where) {
  int32_t limit = 0;
  for (const auto& [token, id] : entries) {
    if (id < 0 || id >= kMaxId) fail(ErrorKind::input, "{}: token `{}` has the impossible id {}", where, token, id);
    limit = std::max(limit, id + 1);
  }
  tokens_.resize(static_cast<size_t>(limit));
  present_.resize(static_cast<size_t>(limit));
  ids_.reserve(entries.size());
  for (auto& [token, id] : entries) {
    const auto at = static_cast<size_t>(id);
    if (present_[at])
      fail(ErrorKind::input, "{}: tokens `{}` and `{}` have the same id {}", where, tokens_[at], token, id);
    present_[at] = true;
    tokens_[at] = std::move(token);
    if (!ids_.emplace(tokens_[at], id).second) {
      fail(ErrorKind::input, "{}: token `{}` stands there twice", where, tokens_[at]);
    }
  }
}

std::optional<int32_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* Vocabulary::token(int32_t id) const {
  if (id < 0 || id >= limit() || !present_[static_cast<size_t>(id)]) return nullptr;
  return &tokens_[static_cast<size_t>(id)];
}

WordLevelModel::WordLevelModel(Vocabulary vocabulary, std::optional<std::string> unknown, std::string where)
    : TokenModel(std::move(vocabulary)), where_(std::move(where)) {
  if (unknown) unknown_ = vocabulary_.find(*unknown);  // absent is legal: then unknown words are errors
}

void WordLevelModel::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  const auto id = vocabulary_.find(word);
  if (!id && !unknown_) {
    fail(ErrorKind::input, "{}: the word `{}` is not in the vocabulary, which has no unknown token", where_, word);
  }
  ids.push_back(id ? *id : *unknown_);
}

}  // namespace laconic::text

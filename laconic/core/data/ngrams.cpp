#include "laconic/core/data/ngrams.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/data/text_hash.h"
#include "laconic/core/text/unicode.h"

namespace laconic::data {
namespace {

// Han, hiragana and katakana are written without spaces.
bool stands_alone(char32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2FA1F);
}

}  // namespace

std::string folded_text(std::string_view text) {
  const std::string lower = text::lowercase(text::normalize(text, text::NormalForm::nfkc));
  std::string folded;
  folded.reserve(lower.size());
  for (size_t at = 0; at < lower.size();) {
    const size_t length = text::utf8_length(lower[at]);
    if (!text::is_whitespace(text::code_point_at(lower, at)))
      folded.append(lower, at, length);
    else if (!folded.empty() && folded.back() != ' ')
      folded += ' ';
    at += length;
  }
  if (!folded.empty() && folded.back() == ' ') folded.pop_back();
  return folded;
}

std::vector<std::string_view> words_of(std::string_view folded) {
  std::vector<std::string_view> words;
  size_t begin = 0, at = 0;
  const auto end_word = [&] {
    if (at > begin) words.push_back(folded.substr(begin, at - begin));
  };
  while (at < folded.size()) {
    const char32_t c = text::code_point_at(folded, at);
    const size_t length = text::utf8_length(folded[at]);
    if (text::is_word(c) && c != '_' && !stands_alone(c)) {
      at += length;
      continue;
    }
    end_word();
    if (stands_alone(c)) words.push_back(folded.substr(at, length));
    at += length;
    begin = at;
  }
  end_word();
  return words;
}

std::vector<uint64_t> ngram_hashes(std::string_view text, int n) {
  LACONIC_CHECK(n > 0, "n-grams of {} words", n);
  const std::string folded = folded_text(text);
  std::vector<uint64_t> words;
  for (const auto& word : words_of(folded)) words.push_back(text_hash(word));
  if (words.empty()) return {};
  const size_t length = std::min(words.size(), static_cast<size_t>(n));
  // A polynomial in the words, rolled along: the first word of the window leaves with the highest power.
  constexpr uint64_t kBase = 0x9E3779B97F4A7C15ull;
  uint64_t highest = 1, sum = 0;
  for (size_t i = 1; i < length; ++i) highest *= kBase;
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i >= length) sum -= words[i - length] * highest;
    sum = sum * kBase + words[i];
    if (i + 1 >= length) hashes.push_back(mix_key({sum, length}));
  }
  return hashes;
}

void NgramIndex::add(std::string_view text, uint64_t record) {
  for (const uint64_t hash : ngram_hashes(text, n_)) entries_.push_back({hash, record});
}

void NgramIndex::finish() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.hash != b.hash ? a.hash < b.hash : a.record < b.record; });
  const auto same = [](const Entry& a, const Entry& b) { return a.hash == b.hash; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

NgramIndex::Match NgramIndex::match(std::string_view text) const {
  Match match;
  for (const uint64_t hash : ngram_hashes(text, n_)) {
    ++match.total;
    const auto found =
        std::lower_bound(entries_.begin(), entries_.end(), hash, [](const Entry& e, uint64_t h) { return e.hash < h; });
    if (found == entries_.end() || found->hash != hash) continue;
    if (match.shared++ > 0) continue;
    match.first = match.total - 1;
    match.record = found->record;
  }
  return match;
}

}  // namespace laconic::data

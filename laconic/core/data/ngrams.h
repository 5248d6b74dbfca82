// How alike texts are, by their words: for finding repeats within a set and contamination between sets. Texts are
// compared without regard to case, compatibility forms (full-width digits are digits) and white space.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::data {

// NFKC in lower case, runs of white space as one space, none at the ends. `text` is valid UTF-8.
std::string folded_text(std::string_view text);

// The words of a folded text: runs of letters, marks and digits; a Han or kana character is a word of its own. Signs
// and punctuation are left out.
std::vector<std::string_view> words_of(std::string_view folded);

// A hash for each run of n words, in their order; a text of fewer words, but at least one, has a single one of them
// all. n > 0.
std::vector<uint64_t> ngram_hashes(std::string_view text, int n);

// The n-grams of a set, 16 bytes each. Add everything, then finish(), then look up.
class NgramIndex {
 public:
  explicit NgramIndex(int n) : n_(n) {}

  void add(std::string_view text, uint64_t record);
  void finish();

  struct Match {
    size_t shared = 0;  // n-grams of the text that the set has
    size_t total = 0;
    size_t first = 0;     // where the first shared one stands among those of the text
    uint64_t record = 0;  // of the set: the first one with the first shared n-gram
    double share() const { return total == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(total); }
  };
  Match match(std::string_view text) const;
  size_t size() const { return entries_.size(); }  // different n-grams, after finish()

 private:
  struct Entry {
    uint64_t hash, record;
  };

  int n_;
  std::vector<Entry> entries_;  // sorted by hash after finish(), each hash once
};

}  // namespace laconic::data

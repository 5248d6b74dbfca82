#include "laconic/core/data/ngrams.h"

#include <gmock/gmock.h>

#include "laconic/core/data/text_hash.h"

namespace laconic::data {
namespace {

using testing::ElementsAre;

TEST(Ngrams, FoldingForgetsHowATextIsSet) {
  EXPECT_EQ(folded_text("  What IS\n\t１２ ＋ x²? "), "what is 12 + x2?");
  EXPECT_EQ(folded_text(" \n "), "");
  EXPECT_NE(text_hash(folded_text("x + 1")), text_hash(folded_text("x - 1"))) << "signs count in whole texts";
}

TEST(Ngrams, WordsOfEveryScript) {
  EXPECT_THAT(words_of("what is \\frac{a_1}{2}, 3.5?"), ElementsAre("what", "is", "frac", "a", "1", "2", "3", "5"));
  EXPECT_THAT(words_of("größe 设x为3"), ElementsAre("größe", "设", "x", "为", "3"));
  EXPECT_TRUE(words_of("?! - +").empty());
  EXPECT_TRUE(words_of("").empty());
}

TEST(Ngrams, RunsRollAsIfHashedAlone) {
  const auto rolled = ngram_hashes("a b c d e", 3);
  ASSERT_EQ(rolled.size(), 3u);
  EXPECT_EQ(rolled[0], ngram_hashes("A, b; c", 3)[0]);
  EXPECT_EQ(rolled[1], ngram_hashes("b c d", 3)[0]);
  EXPECT_EQ(rolled[2], ngram_hashes("c d e", 3)[0]);
  EXPECT_NE(ngram_hashes("b a c", 3), ngram_hashes("a b c", 3)) << "order counts";
  EXPECT_EQ(ngram_hashes("a b", 3).size(), 1u) << "a short text is one run";
  EXPECT_EQ(ngram_hashes("a b", 3)[0], ngram_hashes("a b", 2)[0]);
  EXPECT_TRUE(ngram_hashes("...", 3).empty());
}

TEST(NgramIndex, FindsWhatIsShared) {
  NgramIndex index(3);
  index.add("the quick brown fox jumps", 7);
  index.add("the quick brown fox sleeps", 8);
  index.add("lorem ipsum", 9);
  index.finish();
  EXPECT_EQ(index.size(), 5u) << "each run once";
  const auto part = index.match("A quick brown fox jumps over");
  EXPECT_EQ(part.shared, 2u);
  EXPECT_EQ(part.total, 4u);
  EXPECT_EQ(part.share(), 0.5);
  EXPECT_EQ(part.record, 7u) << "the first that has it";
  EXPECT_EQ(part.first, 1u);
  EXPECT_EQ(index.match("Lorem, ipsum!").share(), 1.0);
  EXPECT_EQ(index.match("nothing of it at all").shared, 0u);
  EXPECT_EQ(index.match("").share(), 0.0);
}

}  // namespace
}  // namespace laconic::data

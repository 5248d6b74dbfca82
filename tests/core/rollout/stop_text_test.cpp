#include "laconic/core/rollout/stop_text.h"

#include <gtest/gtest.h>

#include "laconic/core/base/rng.h"

namespace laconic::rollout {
namespace {

// Ids index a list of pieces of text; what a byte of a character begins is held back as a tokenizer would.
class Pieces final : public TextStream {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  std::string push(int32_t id) override { return pieces_.at(static_cast<size_t>(id)); }

 private:
  std::vector<std::string> pieces_;
};

StopText stop_text(std::vector<std::string> stops, std::vector<std::string> pieces) {
  return {std::move(stops), std::make_unique<Pieces>(std::move(pieces))};
}

TEST(StopText, FindsStopsInsideAndAcrossTokens) {
  auto stop = stop_text({"</a>", "END"}, {"<", "/a", ">", "xxENDyy", "E", "N", "D", ""});
  EXPECT_FALSE(stop.push(0, false));
  EXPECT_FALSE(stop.push(1, false));
  EXPECT_FALSE(stop.push(7, false)) << "a token without text";
  EXPECT_TRUE(stop.push(2, false));
  auto other = stop_text({"</a>", "END"}, {"<", "/a", ">", "xxENDyy", "E", "N", "D", ""});
  EXPECT_TRUE(other.push(3, false)) << "in the middle of a token";
  auto third = stop_text({"</a>", "END"}, {"<", "/a", ">", "xxENDyy", "E", "N", "D", ""});
  for (const int32_t id : {4, 4, 5}) EXPECT_FALSE(third.push(id, false));
  EXPECT_TRUE(third.push(6, false));
}

TEST(StopText, ForcedTextDoesNotStopButMayBeginAStop) {
  auto stop = stop_text({"END"}, {"END", "E", "ND", "D", "xEN"});
  EXPECT_FALSE(stop.push(0, true));
  EXPECT_FALSE(stop.push(3, false)) << "the stop inside forced text is not seen again";
  EXPECT_FALSE(stop.push(4, true));
  EXPECT_TRUE(stop.push(3, false)) << "begun by forced text, completed by a drawn token";
}

TEST(StopText, SingleCharactersAndNoStops) {
  auto one = stop_text({"\n"}, {"a", "b\nc"});
  EXPECT_FALSE(one.push(0, false));
  EXPECT_TRUE(one.push(1, false));
  auto none = stop_text({}, {"a"});
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(none.push(0, false));
}

// The first token after which the whole text holds a stop string, for random texts of few letters.
TEST(StopText, AgreesWithSearchingTheWholeText) {
  Rng rng(DrawPurpose::procedural_data, {2});
  const std::vector<std::string> pieces = {"a", "b", "ab", "ba", "aab", "", "bbab"};
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> stops;
    for (int i = rng.between(1, 3); i > 0; --i) {
      std::string text;
      for (int k = rng.between(1, 6); k > 0; --k) text += rng.chance(0.5) ? 'a' : 'b';
      stops.push_back(text);
    }
    auto stop = stop_text(stops, pieces);
    std::string whole;
    for (int t = 0; t < 40; ++t) {
      const auto id = static_cast<int32_t>(rng.below(static_cast<uint32_t>(pieces.size())));
      whole += pieces[static_cast<size_t>(id)];
      bool expected = false;
      for (const auto& s : stops) expected = expected || whole.find(s) != std::string::npos;
      ASSERT_EQ(stop.push(id, false), expected) << whole;
      if (expected) break;
    }
  }
}

}  // namespace
}  // namespace laconic::rollout

#include "laconic/core/rollout/page_pool.h"

#include <gtest/gtest.h>

#include <map>

#include "laconic/core/base/rng.h"
#include "tests/support/error_of.h"

namespace laconic::rollout {
namespace {

TEST(PagePool, TakesSharesAndDrops) {
  PagePool pool(2);
  EXPECT_EQ(pool.capacity(), 2);
  const auto a = pool.take(), b = pool.take();
  ASSERT_TRUE(a && b);
  EXPECT_NE(*a, *b);
  EXPECT_FALSE(pool.take());
  pool.share(*a);
  pool.drop(*a);
  EXPECT_EQ(pool.available(), 0) << "one reader is left";
  pool.drop(*a);
  EXPECT_EQ(pool.available(), 1);
  EXPECT_EQ(pool.take(), a) << "the page freed last is taken first";
  EXPECT_FALSE(PagePool(0).take());
}

TEST(PagePool, MisuseIsAnError) {
  PagePool pool(2);
  EXPECT_NE(error_of([&] { pool.share(0); }), "");
  EXPECT_NE(error_of([&] { pool.drop(0); }), "");
  const auto page = *pool.take();
  pool.drop(page);
  EXPECT_NE(error_of([&] { pool.drop(page); }), "");
  for (const int32_t outside : {-1, 2}) {
    EXPECT_NE(error_of([&] { pool.share(outside); }), "");
    EXPECT_NE(error_of([&] { pool.drop(outside); }), "");
  }
}

TEST(PagePool, CountsForAnyOrderOfCalls) {
  Rng rng(DrawPurpose::procedural_data, {1});
  PagePool pool(17);
  std::map<int32_t, int> counts;
  for (int i = 0; i < 20000; ++i) {
    if (rng.chance(0.45)) {
      const auto page = pool.take();
      ASSERT_EQ(page.has_value(), counts.size() < 17);
      if (page) {
        ASSERT_FALSE(counts.contains(*page)) << "a page in use was dealt again";
        counts[*page] = 1;
      }
    } else if (!counts.empty()) {
      auto chosen = counts.begin();
      std::advance(chosen, rng.below(static_cast<uint32_t>(counts.size())));
      if (rng.chance(0.4)) {
        pool.share(chosen->first);
        ++chosen->second;
      } else {
        pool.drop(chosen->first);
        if (--chosen->second == 0) counts.erase(chosen);
      }
    }
    ASSERT_EQ(pool.available(), 17 - static_cast<int64_t>(counts.size()));
  }
}

}  // namespace
}  // namespace laconic::rollout

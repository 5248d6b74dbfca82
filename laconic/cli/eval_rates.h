// Pass rates of the problems of an evaluation by their ids, for tools that know examples and not rendered prompts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "laconic/core/data/dataset.h"

namespace laconic::cli {

class EvalRates {
 public:
  // The eval.jsonl of `laconic eval`, finished or not. Another kind of file is an Error of kind usage.
  explicit EvalRates(const std::filesystem::path& file);

  // Nothing for an example that was not evaluated. One whose gold answer differs from the evaluation's is an Error: the
  // evaluation is of other data.
  std::optional<double> of(const data::Example& example) const;
  size_t size() const { return rates_.size(); }

 private:
  struct Rate {
    uint64_t gold;  // hash
    double rate;
  };
  std::string file_;
  std::unordered_map<uint64_t, Rate> rates_;  // by the hash of the id
};

}  // namespace laconic::cli

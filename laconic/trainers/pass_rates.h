// Pass rates of a reference model, measured ahead of training by `laconic eval` and looked up by prompt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "laconic/trainers/prompts.h"

namespace laconic::trainers {

// FNV-1a (64 bit) over the rendered prompt and its answer, as 16 hexadecimal digits. The key of the file's lines.
std::string prompt_hash(const Prompt& prompt);

// FNV-1a over texts, each closed by a byte that no UTF-8 text holds.
class TextHash {
 public:
  void add(std::string_view text);
  std::string hex() const;

 private:
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

class PassRates {
 public:
  // Reads the eval.jsonl of a finished evaluation: a header, then a line per problem with prompt_hash and pass_rate.
  // `verifier` is describe_verifier() of the run, where the judge of the pass rates must be that of the run; an
  // evaluation under another one, an unfinished one, and a file of another kind are Errors. `key` is that of the
  // configuration which names the file. Lines of one prompt are averaged.
  PassRates(const std::filesystem::path& file, const std::optional<std::string>& verifier,
            const std::string& key = "reference.pass_rates");

  // Every prompt of a finite source must be known.
  void check_covers(const PromptSource& source) const;
  // A prompt that the file does not have is an Error that names it.
  double of(const Prompt& prompt) const;
  size_t size() const { return rates_.size(); }

 private:
  std::filesystem::path file_;
  std::map<std::string, double> rates_;
};

}  // namespace laconic::trainers

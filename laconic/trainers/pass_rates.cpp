#include "laconic/trainers/pass_rates.h"

#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"

namespace laconic::trainers {
namespace {

using Json = nlohmann::ordered_json;

void check_header(const std::filesystem::path& file, const std::vector<Json>& rows,
                  const std::optional<std::string>& verifier) {
  if (rows.empty() || !rows.front().contains("evaluation")) {
    fail(ErrorKind::input, "{}: expected the eval.jsonl of `laconic eval`, found {}", file.string(),
         rows.empty() ? "no lines" : "another first line");
  }
  const Json& header = rows.front();
  const std::string used = header.value("verifier", "");
  if (verifier && used != *verifier) {
    fail(ErrorKind::input,
         "{}: the pass rates were judged by `{}`, but this run's verifier is `{}`: the baseline would be biased; "
         "evaluate again under the run's `reward` section",
         file.string(), used, *verifier);
  }
  const auto expected = header.at("prompts").get<size_t>();
  if (rows.size() - 1 != expected) {
    fail(ErrorKind::input, "{}: expected {} problems, found {}: the evaluation is not finished; call it again",
         file.string(), expected, rows.size() - 1);
  }
}

}  // namespace

void TextHash::add(std::string_view text) {
  constexpr uint64_t kPrime = 0x100000001b3ull;
  for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kPrime;
  hash_ = (hash_ ^ 0xffu) * kPrime;
}

std::string TextHash::hex() const {
  return fmt::format("{:016x}", hash_);
}

std::string prompt_hash(const Prompt& prompt) {
  TextHash hash;
  hash.add(prompt.text);
  hash.add(prompt.answer);
  return hash.hex();
}

PassRates::PassRates(const std::filesystem::path& file, const std::optional<std::string>& verifier,
                     const std::string& key)
    : file_(file) {
  if (!std::filesystem::exists(file)) {
    fail(ErrorKind::usage,
         "{}: {} does not exist; make it with `laconic eval` on the training prompts (output.folder/eval.jsonl)", key,
         file.string());
  }
  const auto rows = metrics::read_jsonl(file).rows;
  check_header(file, rows, verifier);
  std::map<std::string, int> counts;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto hash = rows[i].find("prompt_hash"), rate = rows[i].find("pass_rate");
    if (hash == rows[i].end() || rate == rows[i].end() || !rate->is_number())
      fail(ErrorKind::input, "{}: problem {} has no prompt_hash or pass_rate; evaluate again with this program",
           file.string(), i);
    double& mean = rates_[hash->get<std::string>()];
    mean += (rate->get<double>() - mean) / ++counts[hash->get<std::string>()];
  }
}

double PassRates::of(const Prompt& prompt) const {
  const auto found = rates_.find(prompt_hash(prompt));
  if (found == rates_.end()) {
    fail(ErrorKind::input,
         "{}: no pass rate for the prompt {} (hash {}); the evaluation must cover all training prompts under the same "
         "template",
         file_.string(), prompt.id, prompt_hash(prompt));
  }
  return found->second;
}

void PassRates::check_covers(const PromptSource& source) const {
  const auto size = source.size();
  for (int64_t i = 0; size && i < *size; ++i) of(source.distinct_prompt(i));
}

}  // namespace laconic::trainers

#include "laconic/cli/generate_request.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::cli {
namespace {

std::vector<int32_t> read_prompt(const Fields& fields, const ModelFolder& folder) {
  const auto given = fields.one_of({"prompt_ids", "prompt", "messages"});
  std::vector<int32_t> ids;
  if (given == "prompt_ids") {
    ids = fields.ids("prompt_ids");
  } else if (given == "prompt") {
    ids = folder.tokenizer("the field `prompt`").encode(fields.text("prompt"), /*add_special_tokens=*/true);
  } else {
    ids = folder.chat_ids(fields.need("messages", "a list of messages"));
  }
  if (ids.empty()) fail(ErrorKind::input, "{}: expected at least one token, found none", given);
  folder.check_ids(ids, given);
  return ids;
}

rollout::SamplingParams read_sampling(const Fields& fields) {
  rollout::SamplingParams sampling;
  sampling.temperature = fields.number("temperature", 1.0);
  if (const Json* given = fields.find("temperature");
      sampling.temperature != 0 && sampling.temperature < kLeastTemperature)
    wrong_value("temperature", fmt::format("0 (greedy) or a number from {} on", kLeastTemperature), *given);
  sampling.top_p = fields.number("top_p", 1.0);
  sampling.top_k = fields.whole("top_k", 0, std::numeric_limits<int32_t>::max(), 0);
  sampling.min_p = fields.number("min_p", 0.0);
  return sampling;
}

// Without a field: what is forced and kDefaultMaxTokens more, as far as the window reaches.
int64_t read_max_tokens(const Fields& fields, const rollout::Request& request, int64_t window) {
  const int64_t room = window - static_cast<int64_t>(request.prompt.size());
  const auto forced = static_cast<int64_t>(request.forced_prefix.size());
  const int64_t fallback = std::max<int64_t>(1, std::min(room, forced + kDefaultMaxTokens));
  return fields.whole("max_tokens", 1, std::numeric_limits<int32_t>::max(), fallback);
}

// Where the text ends: before the first stop string that the last token completed. `before` is the length of the text
// without that token.
std::optional<size_t> find_stop(const std::string& text, size_t before, const std::vector<std::string>& stops) {
  std::optional<size_t> cut;
  for (const auto& stop : stops) {
    const size_t from = before >= stop.size() ? before - stop.size() + 1 : 0;
    const size_t at = text.find(stop, from);
    if (at != std::string::npos) cut = std::min(at, cut.value_or(at));
  }
  return cut;
}

std::string text_of(const rollout::Completion& completion, const rollout::Request& request,
                    const text::Tokenizer& tokenizer) {
  const auto& ids = completion.ids;
  const bool stopped = completion.finish == rollout::FinishReason::stop && !ids.empty();
  if (!stopped) return tokenizer.decode(ids);
  text::StreamDecoder decoder(tokenizer);
  std::string text;
  for (size_t i = 0; i + 1 < ids.size(); ++i) text += decoder.push(ids[i]);
  const size_t before = text.size();
  text += decoder.push(ids.back());
  if (const auto cut = find_stop(text, before, request.stop_strings)) return text.substr(0, *cut);
  return tokenizer.decode(std::span<const int32_t>(ids).first(ids.size() - 1));
}

}  // namespace

const std::vector<std::string>& generate_fields() {
  static const std::vector<std::string> names = {
      "prompt_ids", "prompt", "messages", "n",        "max_tokens",        "temperature", "top_p",
      "top_k",      "min_p",  "stop",     "stop_ids", "forced_prefix_ids", "ignore_eos",  "entropy"};
  return names;
}

std::vector<rollout::Request> read_requests(const Fields& fields, int64_t line_index, const ModelFolder& folder,
                                            const GenerateDefaults& defaults) {
  const auto& config = folder.model().config();
  rollout::Request request;
  request.prompt = read_prompt(fields, folder);
  request.forced_prefix = fields.ids_or_none("forced_prefix_ids");
  folder.check_ids(request.forced_prefix, "forced_prefix_ids");
  request.sampling = read_sampling(fields);
  request.max_tokens = read_max_tokens(fields, request, config.max_positions);
  request.stop_ids = fields.ids_or_none("stop_ids");
  folder.check_ids(request.stop_ids, "stop_ids");
  if (!fields.boolean("ignore_eos", false))
    request.stop_ids.insert(request.stop_ids.end(), config.eos_ids.begin(), config.eos_ids.end());
  request.stop_strings = fields.texts_or_none("stop");
  if (!request.stop_strings.empty()) folder.tokenizer("the field `stop`");
  request.want_entropy = fields.boolean("entropy", defaults.entropy);
  std::vector<rollout::Request> requests(static_cast<size_t>(fields.whole("n", 1, kMostSamples, 1)), request);
  for (size_t sample = 0; sample < requests.size(); ++sample) {
    requests[sample].identity = {.seed = defaults.seed,
                                 .step = 0,
                                 .prompt = static_cast<uint64_t>(line_index),
                                 .sample = static_cast<uint32_t>(sample)};
  }
  return requests;
}

Json completion_json(const rollout::Completion& completion, const rollout::Request& request,
                     const ModelFolder& folder) {
  Json json = {{"ids", completion.ids},
               {"text", folder.has_tokenizer() ? Json(text_of(completion, request, folder.tokenizer("text"))) : Json()},
               {"logprobs", float_list(completion.logprobs, "logprobs")}};
  if (request.want_entropy) json["entropies"] = float_list(completion.entropies, "entropies");
  json["finish_reason"] = rollout::to_string(completion.finish);
  json["forced"] = completion.forced;
  return json;
}

}  // namespace laconic::cli

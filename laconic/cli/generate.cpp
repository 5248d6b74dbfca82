// laconic generate: completions of prompts, many lines at once.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/generate_request.h"
#include "laconic/cli/host.h"
#include "laconic/cli/model_folder.h"
#include "laconic/cli/program.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/cuda/loader.h"

namespace laconic::cli {
namespace {

// Requests that the engine knows at a time; more lines are taken as these end.
constexpr size_t kRequestsInFlight = 256;
// Lines that are read while an early one is still running: bounds the answers that wait for it.
constexpr int64_t kLinesInFlight = 1024;

class TokenText final : public rollout::TextStream {
 public:
  explicit TokenText(const text::Tokenizer& tokenizer) : decoder_(tokenizer) {}
  std::string push(int32_t id) override { return decoder_.push(id); }

 private:
  text::StreamDecoder decoder_;
};

// Cache for 64 Ki tokens, at least the model's window, at most a quarter of the memory or half of what is free on a
// GPU.
int64_t default_cache_tokens(const model::Model& model) {
  constexpr int64_t kTokens = 1 << 16;
  const auto& config = model.config();
  const auto element_bytes = static_cast<int64_t>(c10::elementSize(model.compute_dtype()));
  const int64_t page_bytes = rollout::KvCache::page_bytes(config, element_bytes);
  const int64_t memory = model.device().is_cuda() ? cuda::free_memory() / 2 : host_memory().usable_bytes / 4;
  const int64_t affordable = memory / page_bytes * ops::kPageTokens;
  return std::max<int64_t>(ops::kPageTokens, std::min(std::max(kTokens, config.max_positions), affordable));
}

// Lines on their way through the engine.
class Generator {
 public:
  Generator(const ModelFolder& folder, rollout::EngineOptions options, GenerateDefaults defaults,
            FilterSession& session)
      : folder_(folder), options_(std::move(options)), defaults_(defaults), session_(session) {
    restart();
  }

  void run() {
    bool more = true;
    while (!session_.stopped() && (more || !requests_.empty())) {
      while (more && !session_.stopped() && requests_.size() < kRequestsInFlight &&
             session_.pending() < kLinesInFlight) {
        // With nothing to do, the next line is waited for; otherwise only what is there already is taken.
        const bool idle = requests_.empty();
        auto line = session_.next(idle);
        if (!line) {
          more = !idle;
          break;
        }
        start(*line);
      }
      if (!session_.stopped() && !requests_.empty()) step();
    }
  }

 private:
  struct LineInWork {
    Record record;
    std::vector<rollout::Request> requests;
    std::vector<Json> completions;
    size_t left = 0;
  };
  struct RequestInWork {
    int64_t index;  // of the line
    size_t sample;
  };

  void restart() { engine_ = std::make_unique<rollout::Engine>(folder_.model(), options_); }

  void start(const Line& line) {
    const auto failed = failure_of(line, generate_fields(), [&](Record& record) {
      auto requests = read_requests(record.fields(), line.index, folder_, defaults_);
      check_budget(requests.front());
      // All samples are alike to the engine's checks: if one passes, all do.
      for (size_t sample = 0; sample < requests.size(); ++sample)
        requests_[engine_->submit(requests[sample])] = {line.index, sample};
      const size_t count = requests.size();
      lines_.emplace(line.index, LineInWork{std::move(record), std::move(requests), std::vector<Json>(count), count});
    });
    if (failed) session_.put(line.index, *failed);
  }

  // The engine's own message about this names an option that the user does not see.
  void check_budget(const rollout::Request& request) const {
    const int64_t tokens = static_cast<int64_t>(request.prompt.size()) + request.max_tokens;
    if (tokens > options_.kv_tokens && tokens <= folder_.model().config().max_positions) {
      fail(ErrorKind::input, "{} prompt tokens and {} new ones are more than --batch-tokens {}", request.prompt.size(),
           request.max_tokens, options_.kv_tokens);
    }
  }

  void step() {
    std::vector<rollout::Completion> ended;
    std::optional<Problem> problem;
    try {
      ended = engine_->step();
    } catch (...) {
      problem = current_problem();
    }
    for (const auto& completion : ended) take(completion);
    if (!problem) return;
    if (lines_.size() == 1)
      abandon(lines_.begin()->first, *problem);
    else
      run_one_by_one();
    restart();
  }

  // After an error the engine is not to be used, and cannot tell whose fault it was. Every line in work is tried alone,
  // which changes no number, so that the failure goes to its own line.
  void run_one_by_one() {
    requests_.clear();
    auto all = std::exchange(lines_, {});
    for (auto& [index, line] : all) {
      restart();
      requests_.clear();
      lines_.clear();
      line.left = line.requests.size();
      for (size_t sample = 0; sample < line.requests.size(); ++sample)
        requests_[engine_->submit(line.requests[sample])] = {index, sample};
      lines_.emplace(index, std::move(line));
      while (!requests_.empty()) step();
    }
  }

  void take(const rollout::Completion& completion) {
    const auto request = requests_.find(completion.request);
    if (request == requests_.end()) return;  // of an abandoned line
    const auto [index, sample] = request->second;
    requests_.erase(request);
    LineInWork& line = lines_.at(index);
    std::optional<Problem> problem;
    try {
      line.completions[sample] = completion_json(completion, line.requests[sample], folder_);
    } catch (...) {
      problem = current_problem();
    }
    if (problem) abandon(index, *problem);
    if (problem || --line.left > 0) return;
    session_.put(index, answer_or_failure(line.record, [&] {
                   Json completions = Json::array();
                   for (auto& one : line.completions) completions.push_back(std::move(one));
                   return Json{{"completions", std::move(completions)}};
                 }));
    lines_.erase(index);
  }

  // A completion that cannot be said fails its line; the other samples are not wanted any more.
  void abandon(int64_t index, const Problem& problem) {
    session_.put(index, lines_.at(index).record.failure(problem));
    lines_.erase(index);
    for (auto request = requests_.begin(); request != requests_.end();) {
      const bool mine = request->second.index == index;
      if (mine) engine_->cancel(request->first);
      request = mine ? requests_.erase(request) : std::next(request);
    }
  }

  const ModelFolder& folder_;
  rollout::EngineOptions options_;
  GenerateDefaults defaults_;
  FilterSession& session_;
  std::unique_ptr<rollout::Engine> engine_;
  std::map<int64_t, LineInWork> lines_;        // by index
  std::map<int64_t, RequestInWork> requests_;  // by the engine's number
};

rollout::EngineOptions engine_options(const CommandLine& line, const ModelFolder& folder) {
  rollout::EngineOptions options;
  options.kv_tokens = line.whole("batch-tokens", 1, int64_t{1} << 40, default_cache_tokens(folder.model()));
  options.max_rows = kRequestsInFlight;
  if (folder.has_tokenizer()) {
    const text::Tokenizer& tokenizer = folder.tokenizer("stop strings");
    options.make_text_stream = [&tokenizer] { return std::make_unique<TokenText>(tokenizer); };
  }
  return options;
}

int run_generate(const Arguments& arguments, Streams& streams) {
  CommandLine line("generate",
                   "Samples completions. A completion depends on its line, its place among the lines and the "
                   "seed, not on what runs beside it.");
  declare_model_options(line);
  line.section("Sampling");
  line.option("seed", "S", "of every random draw; default 0");
  line.option("batch-tokens", "N",
              "tokens (prompts and completions) held at a time; default 65536 or what a quarter of the memory holds. "
              "Changes no number");
  line.flag("entropy", "also give the entropy of each token's distribution");
  declare_filter_options(line);
  line.epilogue(fmt::format(
      "Fields read: prompt_ids, or the text prompt, or messages (through the chat template); n (1); max_tokens ({}, or "
      "to\nthe end of the model's window); temperature (1; 0 = greedy); top_p; top_k; min_p; stop (strings); stop_ids "
      "(beside the\nmodel's own end tokens); ignore_eos (false); forced_prefix_ids (count as max_tokens); entropy.\n"
      "Field added: completions, a list of {{ids, text, logprobs, entropies, finish_reason, forced}}.\n\n"
      "Example:\n"
      "  echo '{{\"prompt\": \"Once upon a time\", \"n\": 2, \"max_tokens\": 32}}' | laconic generate --model DIR",
      kDefaultMaxTokens));
  if (!line.parse(arguments, streams.out)) return kSuccess;
  GenerateDefaults defaults;
  defaults.seed = static_cast<uint64_t>(line.whole("seed", 0, std::numeric_limits<int64_t>::max(), 0));
  defaults.entropy = line.has("entropy");
  const auto folder = ModelFolder::load(line);
  FilterSession session(line, streams);
  Generator(folder, engine_options(line, folder), defaults, session).run();
  return session.finish();
}

}  // namespace

Command generate_command() {
  return {"generate", "completions of prompts, sampled from a model", CommandGroup::filters, run_generate};
}

}  // namespace laconic::cli

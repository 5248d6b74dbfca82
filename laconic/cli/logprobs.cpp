// laconic logprobs: what a model thinks of given tokens.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/model_folder.h"
#include "laconic/cli/program.h"
#include "laconic/core/policy/policy.h"

namespace laconic::cli {
namespace {

const std::vector<std::string>& field_names() {
  static const std::vector<std::string> names = {"ids", "completion_start", "prompt", "completion"};
  return names;
}

// Read ahead for one round, and the tokens of one forward pass. Neither changes a number.
constexpr int64_t kRoundLines = 256;
constexpr int64_t kRoundTokens = 1 << 16;
constexpr int64_t kMicroBatchTokens = 4096;

struct Job {
  Record record;
  policy::ScoredSequence sequence;
};

policy::ScoredSequence read_sequence(const Fields& fields, const ModelFolder& folder) {
  policy::ScoredSequence sequence;
  if (fields.one_of({"ids", "prompt"}) == "ids") {
    sequence.ids = fields.ids("ids");
    folder.check_ids(sequence.ids, "ids");
    const auto length = static_cast<int64_t>(sequence.ids.size());
    if (length == 0) fail(ErrorKind::input, "ids: expected at least one token id, found none");
    sequence.completion_start = fields.whole("completion_start", 1, length, 1);
  } else {
    const auto& tokenizer = folder.tokenizer("the field `prompt`");
    sequence.ids = tokenizer.encode(fields.text("prompt"), /*add_special_tokens=*/true);
    sequence.completion_start = static_cast<int64_t>(sequence.ids.size());
    if (sequence.ids.empty()) fail(ErrorKind::input, "prompt: expected at least one token, found none");
    const auto completion = tokenizer.encode(fields.text("completion"), /*add_special_tokens=*/false);
    sequence.ids.insert(sequence.ids.end(), completion.begin(), completion.end());
    folder.check_ids(sequence.ids, "tokens");
  }
  const int64_t window = folder.model().config().max_positions;
  if (const auto length = static_cast<int64_t>(sequence.ids.size()); length > window)
    fail(ErrorKind::input, "{} tokens are more than the model's window of {}", length, window);
  return sequence;
}

// The round's lines that can be scored; the others are answered at once.
std::vector<Job> read_round(FilterSession& session, const ModelFolder& folder) {
  std::vector<Job> jobs;
  int64_t lines = 0, tokens = 0;
  for (auto line = session.next(/*wait=*/true); line; line = session.next(/*wait=*/false)) {
    std::optional<Answer> answer;
    const auto failed = failure_of(*line, field_names(), [&](Record& record) {
      auto sequence = read_sequence(record.fields(), folder);
      if (sequence.scored() == 0) {
        answer = record.answer({{"logprobs", Json::array()}, {"entropies", Json::array()}});
      } else {
        tokens += static_cast<int64_t>(sequence.ids.size());
        jobs.push_back({std::move(record), std::move(sequence)});
      }
    });
    if (failed) answer = failed;
    if (answer) session.put(line->index, std::move(*answer));
    if (++lines >= kRoundLines || tokens >= kRoundTokens || session.stopped()) break;
  }
  return jobs;
}

Json statistics_json(const policy::TokenStatistics& statistics, int64_t begin, int64_t end) {
  const auto part = [&](const at::Tensor& values, const char* name) {
    const std::span<const float> all(values.const_data_ptr<float>(), static_cast<size_t>(values.numel()));
    return float_list(all.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), name);
  };
  return {{"logprobs", part(statistics.logprob, "logprobs")}, {"entropies", part(statistics.entropy, "entropies")}};
}

// One forward pass. When it fails as a whole, each sequence is tried alone, so that the failure goes to its own line.
void score_jobs(std::span<const Job* const> jobs, const ModelFolder& folder, double temperature,
                FilterSession& session) {
  std::vector<const policy::ScoredSequence*> sequences;
  for (const Job* job : jobs) sequences.push_back(&job->sequence);
  policy::PackedBatch batch;
  policy::TokenStatistics statistics;
  std::optional<Problem> problem;
  try {
    const at::NoGradGuard no_grad;
    batch = policy::pack(sequences, folder.model().device());
    statistics = policy::score(folder.model(), batch, temperature, /*want_entropy=*/true, {});
    statistics = {statistics.logprob.to(at::kCPU), statistics.entropy.to(at::kCPU)};
  } catch (...) {
    problem = current_problem();
  }
  if (problem && jobs.size() == 1) session.put(jobs[0]->record.line().index, jobs[0]->record.failure(*problem));
  if (problem && jobs.size() > 1) {
    for (const Job* job : jobs) score_jobs({&job, 1}, folder, temperature, session);
  }
  if (problem) return;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Record& record = jobs[i]->record;
    session.put(record.line().index, answer_or_failure(record, [&] {
                  return statistics_json(statistics, batch.scored_offsets[i], batch.scored_offsets[i + 1]);
                }));
  }
}

void score_round(const std::vector<Job>& jobs, const ModelFolder& folder, double temperature, FilterSession& session) {
  std::vector<int64_t> lengths;
  lengths.reserve(jobs.size());
  for (const auto& job : jobs) lengths.push_back(static_cast<int64_t>(job.sequence.ids.size()));
  for (const auto& indices : policy::split_by_tokens(lengths, kMicroBatchTokens)) {
    std::vector<const Job*> chosen;
    chosen.reserve(indices.size());
    for (int64_t i : indices) chosen.push_back(&jobs[static_cast<size_t>(i)]);
    score_jobs(chosen, folder, temperature, session);
  }
}

int run_logprobs(const Arguments& arguments, Streams& streams) {
  CommandLine line("logprobs", "Gives the logprob and the entropy of each completion token under a model.");
  declare_model_options(line);
  line.option("temperature", "T", "of the distribution; default 1.0");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: ids and completion_start (1), or the texts prompt and completion.\n"
      "Fields added: logprobs, entropies: one number per token from completion_start on, in nats.\n\n"
      "Example:\n"
      "  echo '{\"ids\": [5, 17, 3, 8], \"completion_start\": 2}' | laconic logprobs --model DIR");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const double temperature = line.number("temperature", 1.0);
  if (temperature < kLeastTemperature)
    fail(ErrorKind::usage, "--temperature: expected a number from {} on, found {}", kLeastTemperature, temperature);
  const auto folder = ModelFolder::load(line);
  FilterSession session(line, streams);
  while (!session.stopped()) {
    const int64_t before = session.lines_read();
    const auto jobs = read_round(session, folder);
    if (session.lines_read() == before) break;
    score_round(jobs, folder, temperature, session);
  }
  return session.finish();
}

}  // namespace

Command logprobs_command() {
  return {"logprobs", "logprob and entropy of given tokens under a model", CommandGroup::filters, run_logprobs};
}

}  // namespace laconic::cli

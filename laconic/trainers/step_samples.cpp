#include "laconic/trainers/step_samples.h"

#include <algorithm>
#include <string>

#include "laconic/core/base/log.h"

namespace laconic::trainers {

void write_samples(const algorithms::Step& step, int64_t step_number, const OutputSection& output,
                   const text::Tokenizer& tokenizer, metrics::RunFolder& folder) {
  const auto count = std::min(static_cast<size_t>(output.samples_per_step), step.groups.size());
  const bool show = output.show_samples_every > 0 && step_number % output.show_samples_every == 0;
  for (size_t g = 0; g < count; ++g) {
    const auto& group = step.groups[g];
    const auto& sample = group.samples.front();
    const std::string prompt = tokenizer.decode(group.prompt_ids);
    const std::string completion = tokenizer.decode(sample.ids);
    folder.log_sample({{"step", step_number},
                       {"prompt_id", group.prompt_id},
                       {"prompt", prompt},
                       {"completion", completion},
                       {"tokens", sample.length},
                       {"reward", sample.reward},
                       {"advantage", sample.advantage},
                       {"correct", sample.verdict.correct},
                       {"answer", sample.verdict.answer},
                       {"reason", sample.verdict.reason},
                       {"truncated", sample.truncated}});
    if (g == 0 && show) {
      log_info("  prompt     {}\n  completion {}\n  verdict    {}, {} tokens, reward {:.3f}", prompt, completion,
               sample.verdict.correct ? "right" : "wrong", sample.length, sample.reward);
    }
  }
}

}  // namespace laconic::trainers

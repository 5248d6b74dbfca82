#include "laconic/cli/self_test.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/policy/policy.h"
#include "laconic/core/rollout/engine.h"

namespace laconic::cli {
namespace {

model::ModelConfig small_config() {
  model::ModelConfig config;
  config.architecture = model::Architecture::qwen3;
  config.vocab_size = 512;
  config.hidden = 64;
  config.intermediate = 160;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.qk_norm = true;
  config.max_positions = 128;
  return config;
}

}  // namespace

std::string self_test() {
  constexpr int64_t kTokens = 32;
  constexpr double kTolerance = 1e-4;
  const auto model = model::Model::random(small_config(), /*seed=*/1, at::kFloat, at::kCPU);
  rollout::Engine engine(model, {.kv_tokens = 256});
  rollout::Request request;
  request.prompt = {1, 2, 3};
  request.max_tokens = kTokens;
  engine.submit(request);
  const auto completion = engine.run().front();

  policy::ScoredSequence sequence{request.prompt, static_cast<int64_t>(request.prompt.size())};
  sequence.ids.insert(sequence.ids.end(), completion.ids.begin(), completion.ids.end());
  const at::NoGradGuard no_grad;
  const policy::ScoredSequence* sequences[] = {&sequence};
  const auto statistics = policy::score(model, policy::pack(sequences, at::kCPU), 1.0, /*want_entropy=*/false, {});
  double largest = 0;
  for (int64_t i = 0; i < kTokens; ++i) {
    const double difference =
        std::abs(statistics.logprob.const_data_ptr<float>()[i] - completion.logprobs[static_cast<size_t>(i)]);
    largest = difference <= largest ? largest : difference;  // NaN stays
  }
  if (!(largest <= kTolerance))
    fail(ErrorKind::numeric, "logprobs of sampling and of training differ by {:.2g}, expected at most {}", largest,
         kTolerance);
  return fmt::format("a small model drew {} tokens and scored them again; the logprobs differ by at most {:.2g}",
                     kTokens, largest);
}

}  // namespace laconic::cli

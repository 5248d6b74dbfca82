#include "laconic/trainers/reward_config.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/terms.h"
#include "laconic/rewards/verifier.h"

namespace laconic::trainers {
namespace {

constexpr const char* kExternal = "external";

// Why the names of the rewards cannot be; "" when they can.
std::string problem_of(const rewards::ExternalOptions& options) {
  try {
    const auto known = rewards::term_names();
    for (const auto& name : rewards::reward_names(options)) {
      if (std::find(known.begin(), known.end(), name) == known.end()) continue;
      return fmt::format("`{}` is a reward term of laconic's own; give yours another name: my_{}=FILE.py:FUNCTION",
                         name, name);
    }
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void visit_workers(config::Visitor& v, RewardSection& section) {
  auto& external = section.external;
  if (const auto block = v.when(!external.python.empty(), "python"))
    v.field("interpreter", external.interpreter, {.help = "Python 3: a path, or a name that is found in PATH"});
  v.field("workers", external.workers,
          {.help = "processes that compute rewards at the same time, of `python` and of `command` each",
           .min = 1.0,
           .max = 256.0});
  v.field("timeout", external.timeout,
          {.help = "for the completions of one prompt", .min = 0.0, .exclusive_min = true, .unit = "seconds"});
  v.field("start_timeout", external.start_timeout,
          {.help = "until a worker has imported its file", .min = 0.0, .exclusive_min = true, .unit = "seconds"});
  v.field("retries", external.retries,
          {.help = "further tries when the rewards of a prompt's completions could not be computed",
           .min = 0.0,
           .max = 1000.0});
  using rewards::OnError;
  v.choice("on_error", external.on_error,
           {{"fail", OnError::fail}, {"drop_group", OnError::drop_group}, {"zero", OnError::zero}},
           {.help = "after the last try: end the run (what was done is saved), leave the prompt out of the step, or "
                    "take 0 for the rewards that are missing"});
  v.choice("conversation", section.conversation,
           {{"auto", ConversationForm::automatic},
            {"text", ConversationForm::text},
            {"messages", ConversationForm::messages}},
           {.help = "how prompts and completions are handed over: as strings or as lists of messages; auto = messages "
                    "where prompts go through a chat template"});
  v.field("gold_column", section.gold_column,
          {.help = "the argument of this name is the gold answer as verifiers have it (of GSM8K what follows ####) "
                   "instead of the record's column"});
}

}  // namespace

std::vector<std::string> verifier_choices() {
  auto names = rewards::verifier_names();
  names.emplace_back(kExternal);
  return names;
}

bool RewardSection::external_decides() const {
  return verifier == kExternal;
}

std::vector<std::string> RewardSection::all_terms() const {
  auto all = terms;
  const auto own = rewards::reward_names(external);
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

void visit_external(config::Visitor& v, RewardSection& section) {
  v.field("python", section.external.python,
          {.help = "rewards of your own: FILE.py:FUNCTION, with the signature of TRL's reward functions; several are "
                   "separated by commas, NAME=FILE.py:FUNCTION names one (docs/rewards.md)"});
  v.field("command", section.external.command,
          {.help = "a program that computes a reward named `command`: a line for the shell, JSON lines in and out"});
  if (const auto block = v.when(section.external.any(), "python or command")) visit_workers(v, section);
  if (const auto block = v.when(section.external_decides(), "verifier: external")) {
    v.field("correct_from", section.correct_from,
            {.help = "a completion counts as right when the rewards of python and command add up to so much"});
  }
  v.check(!section.external_decides() || section.external.any(), "verifier, python, command",
          "verifier: external needs a reward of your own, which decides; expected python or command");
  const auto problem = section.external.any() ? problem_of(section.external) : "";
  v.check(problem.empty(), "python, command", problem);
}

void settle_external(config::Visitor& v, const RewardSection& section, algorithms::ObjectiveSection& objective) {
  if (!v.reading() || !section.external.any() || !problem_of(section.external).empty()) return;
  auto& weights = objective.common.reward_weights;
  if (!weights.empty()) return;
  if (objective.own == nullptr) {
    for (const auto& name : rewards::reward_names(section.external)) weights[name] = 1.0;
    return;
  }
  v.check(section.external_decides(), "reward.python, reward.command, objective.name",
          "the method makes its rewards of verdicts, so that rewards of your own would change nothing; expected "
          "reward.verifier: external (they decide what is right) or the method grpo");
}

}  // namespace laconic::trainers

// laconic grade: predictions against gold answers.
#include "laconic/rewards/grade.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"

namespace laconic::cli {
namespace {

// A verifier's options are texts; in JSON a number or a boolean is as good.
rewards::VerifierOptions read_options(const Fields& fields) {
  rewards::VerifierOptions options;
  const Json* given = fields.find("options");
  if (given == nullptr) return options;
  if (!given->is_object()) wrong_value("options", "an object of options of the verifier", *given);
  for (const auto& [name, value] : given->items()) {
    if (value.is_structured() || value.is_null()) wrong_value("options." + name, "a string, number or boolean", value);
    options[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return options;
}

// Data sets often have the answer as a number, and tests, instructions and puzzles as a list or an object.
std::string read_gold(const Fields& fields, bool structured) {
  const Json& gold =
      fields.need("gold", structured ? "a list, an object or a text (docs/rewards.md)" : "a string or a number");
  if (gold.is_number() || (structured && gold.is_structured())) return gold.dump();
  return fields.text("gold");
}

Json to_json(const rewards::Grade& grade) {
  Json json = {{"correct", grade.correct},
               {"answer", grade.answer ? Json(*grade.answer) : Json()},
               {"gold_answer", grade.gold_answer},
               {"reason", grade.reason}};
  if (grade.tests_passed) json["tests_passed"] = *grade.tests_passed;
  return json;
}

int run_grade(const Arguments& arguments, Streams& streams) {
  CommandLine line("grade", "Says for each line whether the prediction gives the gold answer, and why.");
  line.section("Grading");
  line.option(
      "verifier", "NAME",
      fmt::format("how answers are found and compared: {}; default math", join(rewards::verifier_names(), ", ")));
  line.option("policy", "NAME",
              fmt::format("a bundle of the verifier's options; math has {} (the first without this option)",
                          join(rewards::grade_policies("math"), ", ")));
  line.option("threads", "N", "worker threads; default 0 = all cores");
  line.option("measure", "N", "grade each line N times and say the verdicts per second and core on standard error");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: gold; prediction; options (of the verifier, over those of the policy).\n"
      "Fields added: correct; answer (as it stands in the prediction, or null); gold_answer; reason; of the verifier\n"
      "code and instructions also tests_passed, a share. Of these and of puzzles the gold field may be a list or an\n"
      "object (docs/rewards.md).\n\n"
      "Example:\n"
      "  printf '%s\\n' '{\"gold\": \"1/2\", \"prediction\": \"So it is \\\\boxed{0.5}.\"}' | laconic grade");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const int64_t threads = line.whole("threads", 0, 4096, 0);
  const std::string name = line.choice("verifier", rewards::verifier_names(), "math");
  const std::string policy = line.choice("policy", rewards::grade_policies(name), "default");
  const auto policy_options = rewards::policy_options(name, policy);
  const auto verifier = rewards::make_verifier(name, policy_options);
  const int64_t repeats = line.whole("measure", 1, 1000000, 1);
  std::atomic<int64_t> verdicts = 0, nanoseconds = 0;
  const int status =
      run_line_filter(line, streams, {"gold", "prediction", "options"}, threads, [&](const Fields& fields) {
        const std::string gold = read_gold(fields, rewards::has_structured_gold(name)),
                          prediction = fields.text("prediction");
        const auto options = read_options(fields);
        if (!options.empty()) return to_json(rewards::grade(gold, prediction, name, policy, options));
        const Timer timer;
        for (int64_t i = 1; i < repeats; ++i) (void)rewards::grade(*verifier, gold, prediction);
        const auto grade = rewards::grade(*verifier, gold, prediction);
        verdicts += repeats;
        nanoseconds += static_cast<int64_t>(timer.seconds() * 1e9);
        return to_json(grade);
      });
  if (line.has("measure")) {
    streams.err << fmt::format("{} verdicts, {:.0f} per second and core\n", verdicts.load(),
                               static_cast<double>(verdicts) * 1e9 / static_cast<double>(nanoseconds));
  }
  return status;
}

}  // namespace

Command grade_command() {
  return {"grade", "predictions against gold answers", CommandGroup::filters, run_grade};
}

}  // namespace laconic::cli

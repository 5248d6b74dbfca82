// Rewards from Python functions and programs: what they are given, what is taken, and everything that can go wrong.
#include "laconic/rewards/external/external_rewards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::rewards {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class External : public testing::Test {
 protected:
  // A file with the function `f`, which takes what TRL's trainers give.
  ExternalOptions python(const std::string& body, const std::string& functions = "f") {
    const auto path = folder_ / "rewards_of_user.py";
    write_file_atomic(path, body);
    ExternalOptions options;
    for (const auto& function : split(functions, ','))
      options.python += (options.python.empty() ? "" : ",") + path.string() + ":" + function;
    return options;
  }
  ExternalOptions command(const std::string& python_program) {
    write_file_atomic(folder_ / "program.py", python_program);
    ExternalOptions options;
    options.command = "exec python3 -u " + (folder_ / "program.py").string();
    return options;
  }
  static Batch batch(const std::vector<std::string>& completions) {
    Batch batch;
    batch.prompt_id = "p7";
    for (const auto& text : completions) batch.samples.push_back({"What?", text, {1, 2, 3}});
    batch.columns = {{"answer", "42"}, {"prompt", "unused"}};
    batch.step = 3;
    batch.steps = 10;
    return batch;
  }
  static RewardValues graded(const ExternalOptions& options, const std::string& name = "f",
                             const Batch& asked = batch({"a", "bb"})) {
    ExternalRewards rewards(options);
    return rewards.submit(asked).get().values.at(name);
  }
  // Both the message of the failure and how it was counted.
  struct Failed {
    std::string message;
    ExternalStatistics statistics;
    int64_t of(FailureKind kind) const { return statistics.failures[static_cast<size_t>(kind)]; }
  };
  static Failed failed(const ExternalOptions& options) {
    ExternalRewards rewards(options);
    Failed outcome;
    outcome.message = error_of([&] { rewards.submit(batch({"a", "bb"})).get(); });
    outcome.statistics = rewards.take_statistics();
    return outcome;
  }

  TemporaryFolder folder_;
};

TEST_F(External, TheSignatureOfTrl) {
  const auto options = python(R"(
def f(prompts, completions, completion_ids, answer, **kwargs):
    assert prompts == ["What?", "What?"], prompts
    assert completions == ["a", "bb"], completions
    assert completion_ids == [[1, 2, 3], [1, 2, 3]]
    assert answer == ["42", "42"]
    assert "prompt" not in kwargs
    assert kwargs["trainer_state"].global_step == 3 and kwargs["trainer_state"].max_steps == 10
    return [float(len(c)) for c in completions]
)");
  EXPECT_THAT(graded(options), ElementsAre(1.0, 2.0));
}

TEST_F(External, ConversationsAreLists) {
  auto asked = batch({"a"});
  asked.conversation = true;
  asked.samples[0].prompt = Json::array({{{"role", "user"}, {"content", "What?"}}});
  const auto options = python(R"(
def f(prompts, completions, **kwargs):
    assert prompts == [[{"role": "user", "content": "What?"}]], prompts
    assert completions == [[{"role": "assistant", "content": "a"}]], completions
    return [1]
)");
  EXPECT_THAT(graded(options, "f", asked), ElementsAre(1.0));
}

TEST_F(External, WithoutCatchAllArguments) {
  EXPECT_THAT(graded(python("def f(completions, answer):\n    return [len(answer[0])] * len(completions)\n")),
              ElementsAre(2.0, 2.0));
  EXPECT_THAT(failed(python("def f(completions, solution):\n    return []\n")).message,
              AllOf(HasSubstr("wants solution"), HasSubstr("answer")));
}

TEST_F(External, SeveralFunctionsAsyncOnesTogetherAndNone) {
  const auto options = python(R"(
import asyncio
class Judge:
    @staticmethod
    async def Slow(completions, **kwargs):
        await asyncio.sleep(0.01)
        return [0.5 for _ in completions]
def maybe(completions, **kwargs):
    return [None if c == "a" else True for c in completions]
)",
                              "Judge.Slow,maybe");
  ExternalRewards rewards(options);
  EXPECT_THAT(rewards.names(), ElementsAre("judge_slow", "maybe"));
  const auto given = rewards.submit(batch({"a", "bb"})).get();
  EXPECT_THAT(given.values.at("judge_slow"), ElementsAre(0.5, 0.5));
  EXPECT_THAT(given.values.at("maybe"), ElementsAre(std::nullopt, 1.0));
}

TEST_F(External, OrdinaryFunctionsMayRunLoopsOfTheirOwn) {
  const std::string body = R"(
import asyncio
async def judged(completions):
    await asyncio.sleep(0.001)
    return [float(len(c)) for c in completions]
def runs(completions, **kwargs):
    return asyncio.run(judged(completions))
def borrows(completions, **kwargs):
    return asyncio.get_event_loop().run_until_complete(judged(completions))
async def awaits(completions, **kwargs):
    return await judged(completions)
class Judge:
    async def __call__(self, completions, **kwargs):
        return await judged(completions)
judge = Judge()
)";
  ExternalRewards rewards(python(body, "awaits,runs,borrows,judge"));
  for (int i = 0; i < 2; ++i) {  // a loop that a function has closed is not missed later
    const auto given = rewards.submit(batch({"a", "bb"})).get();
    for (const auto& name : rewards.names()) EXPECT_THAT(given.values.at(name), ElementsAre(1.0, 2.0)) << name;
  }
}

TEST_F(External, WhatIsNoFunctionOfRewardsIsExplained) {
  EXPECT_THAT(error_of([&] {
                const ExternalRewards rewards(python("class f:\n    def __call__(self, **kw): return [1.0]\n"));
              }),
              HasSubstr("is a class, expected a function or an object that can be called: write `reward = f(...)`"));
  const auto made = failed(python("def f(scale=1.0, **kw):\n    return lambda completions, **kw: [scale] * 2\n"));
  EXPECT_EQ(made.of(FailureKind::wrong_count), 2);
  EXPECT_THAT(made.message, HasSubstr("where it makes reward functions, write `reward = ...(...)`"));
  EXPECT_THAT(failed(python("def f(completions, gold, **kw):\n    return [1.0, 1.0]\n")).message,
              HasSubstr("the function wants gold, but the data set has no such column; there are: prompts,"));
  EXPECT_THAT(failed(python("def f(trainer_state, **kw):\n    return [trainer_state.epoch] * 2\n")).message,
              HasSubstr("trainer_state has global_step, max_steps here and no 'epoch'"));
}

TEST_F(External, ErrorsThatAreNoUnicode) {
  const auto half = failed(python("def f(completions, **kw):\n    raise ValueError('half: \\ud800, é')\n"));
  EXPECT_EQ(half.of(FailureKind::raised), 2);
  EXPECT_THAT(half.message, HasSubstr("half: ?, é"));
}

TEST_F(External, ErrorsThatComeLateOrAreLarge) {
  const auto lazy = failed(python("def f(completions, **kw):\n    return (1 / 0 for c in completions)\n"));
  EXPECT_EQ(lazy.of(FailureKind::raised), 2);
  EXPECT_THAT(lazy.message, HasSubstr("ZeroDivisionError"));
  const auto large = failed(python("def f(completions, **kw):\n    raise ValueError('x' * 10_000_000)\n"));
  EXPECT_EQ(large.of(FailureKind::raised), 2);
  EXPECT_LT(large.message.size(), 30000U);
}

TEST_F(External, LinesOfTheWorkersChannelThatTheUserWrote) {
  const auto forged =
      failed(python("import os\ndef f(completions, **kw):\n    os.write(4, b'{\"id\": 1, \"rewards\": 5}\\n')\n    "
                    "return [1.0, 1.0]\n"));
  EXPECT_GE(forged.of(FailureKind::bad_answer), 1);
}

TEST_F(External, NamesOfTheirOwn) {
  auto options = python("def f(completions, **kw):\n    return [1.0] * len(completions)\n");
  options.python = "first=" + options.python + ", second=" + options.python;
  EXPECT_THAT(reward_names(options), ElementsAre("first", "second"));
  EXPECT_THAT(graded(options, "second"), ElementsAre(1.0, 1.0));
}

TEST_F(External, SpecificationsThatCannotBe) {
  const auto file = (folder_ / "a.py").string();
  write_file_atomic(file, "");
  const auto problem = [](const std::string& text) {
    ExternalOptions options;
    options.python = text;
    return error_of([&] { reward_names(options); });
  };
  for (const char* text : {"f", ":f", "a.py:", "a.py", "a.py:f g"})
    EXPECT_THAT(problem(text), HasSubstr("expected FILE.py:FUNCTION")) << text;
  EXPECT_THAT(problem("absent.py:f"), HasSubstr("absent.py does not exist"));
  EXPECT_THAT(problem(file + ":f, " + file + ":f"), HasSubstr("two rewards are named `f`"));
}

TEST_F(External, FilesThatCannotBeLoaded) {
  const auto problem = [&](const ExternalOptions& options) {
    return error_of([&] { const ExternalRewards rewards(options); });
  };
  EXPECT_THAT(problem(python("import nonesuch\n")), AllOf(HasSubstr("Traceback"), HasSubstr("nonesuch")));
  EXPECT_THAT(problem(python("def g(): pass\n")), AllOf(HasSubstr("has no function f"), HasSubstr("g")));
  EXPECT_THAT(problem(python("raise SystemExit(3)\n")), HasSubstr("SystemExit: 3"));
  EXPECT_THAT(problem(python("f = 5\n")), HasSubstr("expected a function"));
  auto options = python("import time\ntime.sleep(60)\n");
  options.start_timeout = 0.3;
  EXPECT_THAT(problem(options), HasSubstr("no answer within 0.3 s"));
  options.start_timeout = 20;
  options.interpreter = "no-such-python";
  EXPECT_THAT(problem(options), AllOf(HasSubstr("exit status 127"), HasSubstr("cannot run no-such-python")));
}

TEST_F(External, AnExceptionIsToldWithItsTraceback) {
  const auto outcome = failed(python("def f(completions, **kw):\n    return [1 / 0 for c in completions]\n"));
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("prompt p7"), HasSubstr("after 2 tries"), HasSubstr("Traceback"),
                                     HasSubstr("rewards_of_user.py\", line 2"), HasSubstr("ZeroDivisionError")));
  EXPECT_EQ(outcome.of(FailureKind::raised), 2);
  EXPECT_EQ(outcome.statistics.restarts, 0);
}

TEST_F(External, AHangEndsInTime) {
  auto options = python("import time\ndef f(completions, **kw):\n    time.sleep(60)\n");
  options.timeout = 0.2;
  options.retries = 0;
  const auto outcome = failed(options);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("no answer within 0.2 s"), HasSubstr("after 1 try")));
  EXPECT_EQ(outcome.of(FailureKind::timed_out), 1);
}

TEST_F(External, AnExitIsToldAndTheWorkerStartedAnew) {
  const auto outcome = failed(python("import os\ndef f(completions, **kw):\n    print('bye')\n    os._exit(7)\n"));
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("exit status 7"), HasSubstr("bye")));
  EXPECT_EQ(outcome.of(FailureKind::ended), 2);
  EXPECT_EQ(outcome.statistics.restarts, 1);
  EXPECT_THAT(failed(python("import os\ndef f(completions, **kw):\n    os.kill(os.getpid(), 11)\n")).message,
              HasSubstr("signal 11"));
}

TEST_F(External, ACrashThatIsRetriedIsHealed) {
  const auto flag = (folder_ / "crashed").string();
  const auto options = python("import os\ndef f(completions, **kw):\n    if not os.path.exists('" + flag +
                              "'):\n        open('" + flag + "', 'w'); os._exit(1)\n    return [1.0, 2.0]\n");
  ExternalRewards rewards(options);
  EXPECT_THAT(rewards.submit(batch({"a", "bb"})).get().values.at("f"), ElementsAre(1.0, 2.0));
  EXPECT_EQ(rewards.take_statistics().all_failures(), 1);
}

TEST_F(External, ValuesAndCountsThatAreNone) {
  struct Case {
    const char* result;
    FailureKind kind;
    const char* text;
  };
  const std::vector<Case> cases = {
      {"[float('nan'), 1.0]", FailureKind::bad_value, "completion 1 the reward nan"},
      {"[1.0, float('inf')]", FailureKind::bad_value, "completion 2 the reward inf"},
      {"['1.0', 1.0]", FailureKind::bad_value, "'1.0'"},
      {"[{}, 1.0]", FailureKind::bad_value, "{}"},
      {"[1.0]", FailureKind::wrong_count, "returned 1 rewards, expected 2"},
      {"[1.0, 2.0, 3.0]", FailureKind::wrong_count, "returned 3 rewards"},
      {"None", FailureKind::wrong_count, "NoneType"},
      {"1.0", FailureKind::wrong_count, "float: 1.0"},
  };
  for (const auto& c : cases) {
    const auto outcome = failed(python(std::string("def f(completions, **kw):\n    return ") + c.result + "\n"));
    EXPECT_THAT(outcome.message, HasSubstr(c.text)) << c.result;
    EXPECT_EQ(outcome.of(c.kind), 2) << c.result;
  }
}

TEST_F(External, PrintsDisturbNothingAndAreCounted) {
  const auto options = python(R"(
import os, subprocess, sys
def f(completions, **kw):
    print("hello", flush=True)
    os.write(1, b"raw bytes without an end")
    os.write(1, b"x" * 200000)
    print('{"id": 1, "rewards": {}}')
    subprocess.run(["echo", "from a child"])
    sys.stderr.write("a warning\n")
    return [1.0, 2.0]
)");
  ExternalRewards rewards(options);
  EXPECT_THAT(rewards.submit(batch({"a", "bb"})).get().values.at("f"), ElementsAre(1.0, 2.0));
  const auto statistics = rewards.take_statistics();
  EXPECT_EQ(statistics.all_failures(), 0);
  EXPECT_GE(statistics.noise_lines, 3);
}

TEST_F(External, WhatIsDoneAfterTheLastTry) {
  auto options = python("def f(completions, **kw):\n    return [float('nan'), 3.0]\n");
  options.on_error = OnError::drop_group;
  {
    ExternalRewards rewards(options);
    EXPECT_TRUE(rewards.submit(batch({"a", "bb"})).get().dropped);
    EXPECT_EQ(rewards.take_statistics().dropped, 1);
  }
  options.on_error = OnError::zero;
  EXPECT_THAT(graded(options), ElementsAre(0.0, 3.0));
  options = python("def f(completions, **kw):\n    raise RuntimeError('no')\n");
  options.on_error = OnError::zero;
  EXPECT_THAT(graded(options), ElementsAre(0.0, 0.0));
}

TEST_F(External, WorkersRunAtTheSameTime) {
  // Each of two calls waits until the other one has begun.
  auto options = python("import os, time\ndef f(completions, **kw):\n    open('" + (folder_ / "begun").string() +
                        "' + completions[0], 'w')\n    while not os.path.exists('" + (folder_ / "begun").string() +
                        "' + completions[1]):\n        time.sleep(0.005)\n    return [1.0, 2.0]\n");
  options.workers = 2;
  options.timeout = 20;
  ExternalRewards rewards(options);
  auto one = rewards.submit(batch({"a", "b"})), two = rewards.submit(batch({"b", "a"}));
  EXPECT_FALSE(one.get().dropped);
  EXPECT_FALSE(two.get().dropped);
}

TEST_F(External, GivingUpIsQuick) {
  ExternalRewards rewards(python("import time\ndef f(completions, **kw):\n    time.sleep(600)\n"));
  auto asked = rewards.submit(batch({"a", "bb"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  rewards.cancel();
  EXPECT_THAT(error_of([&] { asked.get(); }), HasSubstr("given up"));
}

TEST_F(External, NoWorkerIsStartedForWhatIsGivenUp) {
  const auto starts = folder_ / "starts";
  ExternalRewards rewards(python("import time\nopen('" + starts.string() +
                                 "', 'a').write('x')\ndef f(completions, **kw):\n    time.sleep(600)\n"));
  std::vector<std::future<BatchRewards>> asked;
  asked.reserve(4);
  for (int i = 0; i < 4; ++i) asked.push_back(rewards.submit(batch({"a", "bb"})));
  rewards.cancel();
  for (auto& one : asked) EXPECT_THAT(error_of([&] { one.get(); }), HasSubstr("given up"));
  EXPECT_EQ(read_file(starts), "x");
}

TEST_F(External, MetricsOfTheUser) {
  ExternalRewards rewards(python(
      "def f(completions, log_metric, **kw):\n    log_metric('Mean Length', 1.5)\n    log_metric('Mean Length', 2.5)\n"
      "    log_metric('Mean Length', float('nan'))\n    return [0.0, 0.0]\n"));
  rewards.submit(batch({"a", "bb"})).get();
  const auto logged = rewards.take_statistics().logged.at("Mean Length");
  EXPECT_EQ(logged.first, 4.0);
  EXPECT_EQ(logged.second, 2);
}

TEST_F(External, NothingOutlivesTheWorker) {
  const auto file = folder_ / "pid";
  pid_t started = 0;
  {
    ExternalRewards rewards(
        python("import subprocess\ndef f(completions, **kw):\n    p = subprocess.Popen(['sleep', '600'], "
               "start_new_session=True)\n    open('" +
               file.string() + "', 'w').write(str(p.pid))\n    return [0.0, 0.0]\n"));
    rewards.submit(batch({"a", "bb"})).get();
    started = static_cast<pid_t>(std::stol(read_file(file)));
    EXPECT_EQ(::kill(started, 0), 0);
  }
  EXPECT_NE(::kill(started, 0), 0);
}

constexpr const char* kLengths = R"(
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], "reward": len(request["completion"])}))
)";

TEST_F(External, AProgram) {
  EXPECT_THAT(graded(command(kLengths), "command"), ElementsAre(1.0, 2.0));
}

TEST_F(External, AProgramAnswersInAnyOrderAndPrints) {
  const auto options = command(R"(
import json, sys
lines = []
for line in sys.stdin:
    lines.append(json.loads(line))
    if len(lines) == 2:
        print("thinking ...")
        for r in reversed(lines):
            print(json.dumps({"id": r["id"], "reward": None if r["completion"] == "a" else 2}))
        lines = []
)");
  ExternalRewards rewards(options);
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(rewards.submit(batch({"a", "bb"})).get().values.at("command"), ElementsAre(std::nullopt, 2.0));
  EXPECT_EQ(rewards.take_statistics().noise_lines, 2);
}

TEST_F(External, AProgramMaySayTrueAndThatThereIsNoError) {
  const auto options = command(
      "import json, sys\nfor line in sys.stdin:\n    r = json.loads(line)\n"
      "    print(json.dumps({'id': r['id'], 'reward': r['completion'] == 'a', 'error': None, 'note': 'no NaN'}))\n");
  EXPECT_THAT(graded(options, "command"), ElementsAre(1.0, 0.0));
}

TEST_F(External, AnAnswerWithoutItsEndIsShown) {
  auto options =
      command("import sys\nfor line in sys.stdin:\n    sys.stdout.write('{\"id\": 1')\n    sys.stdout.flush()\n");
  options.timeout = 0.5;
  options.retries = 0;
  EXPECT_THAT(failed(options).message, HasSubstr("no answer within 0.5 s; a line without an end is there: {\"id\": 1"));
}

TEST_F(External, AProgramThatMisbehaves) {
  const auto answering = [&](const std::string& answer) {
    return failed(command("import json, sys\nfor line in sys.stdin:\n    r = json.loads(line)\n    " + answer + "\n"));
  };
  auto outcome = answering(R"(print(json.dumps({"id": r["id"] + 1000, "reward": 1})))");
  EXPECT_THAT(outcome.message, HasSubstr("an answer to no request"));
  EXPECT_EQ(outcome.of(FailureKind::bad_answer), 2);
  outcome = answering(R"(print('{"id": %d, "reward": 1}\n' % r["id"] * 2))");
  EXPECT_THAT(outcome.message, HasSubstr("a second answer"));
  outcome = answering(R"(print('{"id": %d, "reward": "much"}' % r["id"]))");
  EXPECT_THAT(outcome.message, HasSubstr("\"much\""));
  outcome = answering(R"(print('{"id": %d}' % r["id"]))");
  EXPECT_THAT(outcome.message, HasSubstr("without `reward`"));
  outcome = answering(R"(print('{"id": %d, "error": "no judge today"}' % r["id"]))");
  EXPECT_THAT(outcome.message, HasSubstr("no judge today"));
  outcome = answering(R"(print('{"id": %d, "reward": NaN}' % r["id"]))");
  EXPECT_EQ(outcome.of(FailureKind::bad_value), 2) << outcome.message;
  outcome = answering(R"(print('{"id": %d, "reward": 1,}' % r["id"]))");
  EXPECT_THAT(outcome.message, HasSubstr("an answer that is not valid JSON: {\"id\": "));
  EXPECT_EQ(outcome.of(FailureKind::bad_answer), 2);
  outcome = answering("sys.exit(9)");
  EXPECT_THAT(outcome.message, HasSubstr("exit status 9"));
  ExternalOptions absent;
  absent.command = "no-such-program-at-all";
  EXPECT_THAT(failed(absent).message, AllOf(HasSubstr("exit status 127"), HasSubstr("no-such-program-at-all")));
}

TEST_F(External, TextThatIsNoUtf8) {
  EXPECT_THAT(graded(python("def f(completions, **kw):\n    return [float(len(c)) for c in completions]\n"), "f",
                     batch({"\xff", std::string("a\nb\0c", 5)})),
              ElementsAre(1.0, 5.0));
}

TEST_F(External, ManyLargeBatches) {
  ExternalRewards rewards(python("def f(completions, **kw):\n    return [float(len(c)) for c in completions]\n"));
  const std::string large(300000, 'x');
  std::vector<std::future<BatchRewards>> asked;
  asked.reserve(8);
  for (int i = 0; i < 8; ++i) asked.push_back(rewards.submit(batch({large, "y"})));
  for (auto& one : asked) EXPECT_THAT(one.get().values.at("f"), ElementsAre(300000.0, 1.0));
}

}  // namespace
}  // namespace laconic::rewards

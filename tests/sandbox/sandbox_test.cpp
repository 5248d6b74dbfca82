// What a program in a sandbox can and cannot do. Every attack is bounded, so that it harms nothing where it succeeds.
#include "laconic/sandbox/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <thread>

#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::sandbox {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr uint64_t kMebi = 1 << 20;

Job python(const std::string& program) {
  Job job;
  job.files = {{"program.py", program}};
  job.words = {"/usr/bin/python3", "-I", "program.py"};
  job.limits.wall_seconds = 5;
  job.limits.cpu_seconds = 5;
  job.limits.memory_bytes = 128 * kMebi;
  job.limits.processes = 8;
  job.limits.file_bytes = 8 * kMebi;
  job.limits.output_bytes = 1 * kMebi;
  return job;
}

SandboxOptions options_of(Mechanism mechanism) {
  SandboxOptions options;
  options.mechanism = mechanism;
  options.scratch_bytes = 32 * kMebi;
  return options;
}

JobResult run_in(Sandbox& sandbox, Job job) {
  if (job.words.size() > 2) job.words[2] = sandbox.folder() + "/" + job.words[2];
  return sandbox.run(job);
}

// Of all mechanisms that work here.
class AnySandbox : public testing::TestWithParam<Mechanism> {
 protected:
  void SetUp() override {
    const auto state = look_at(GetParam());
    if (!state.problem.empty()) GTEST_SKIP() << to_string(GetParam()) << " does not work here: " << state.problem;
    sandbox_ = std::make_unique<Sandbox>(options_of(GetParam()));
  }
  JobResult run(const Job& job) { return run_in(*sandbox_, job); }
  JobResult run(const std::string& program) { return run(python(program)); }
  std::unique_ptr<Sandbox> sandbox_;
};
// Of those that isolate.
class Isolated : public AnySandbox {};

const auto kNames = [](const auto& info) { return std::string(to_string(info.param)); };
INSTANTIATE_TEST_SUITE_P(Mechanisms, AnySandbox,
                         testing::Values(Mechanism::bubblewrap, Mechanism::namespaces, Mechanism::none), kNames);
INSTANTIATE_TEST_SUITE_P(Mechanisms, Isolated, testing::Values(Mechanism::bubblewrap, Mechanism::namespaces), kNames);

TEST_P(AnySandbox, RunsPrograms) {
  auto job = python("import sys\nprint(sys.stdin.read()[::-1])\nsys.stderr.write('told')\nsys.exit(3)\n");
  job.input = "abc";
  const auto result = run(job);
  EXPECT_EQ(result.end, JobEnd::exited);
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.output, "cba\n");
  EXPECT_EQ(result.errors, "told");
  EXPECT_GT(result.seconds, 0);
}

TEST_P(AnySandbox, LargeInputAndOutput) {
  auto job = python("import sys\nsys.stdout.write(sys.stdin.read())\n");
  job.input.assign(900000, 'x');
  EXPECT_EQ(run(job).output, job.input);
  job = python("print('nothing is read')");
  job.input.assign(3 * kMebi, 'x');
  EXPECT_TRUE(run(job).good());
}

TEST_P(AnySandbox, ProgramsThatCannotBeStarted) {
  Job job;
  job.words = {"/no/such/program"};
  const auto result = sandbox_->run(job);
  EXPECT_EQ(result.end, JobEnd::not_started);
  EXPECT_THAT(describe(result, job.limits), HasSubstr("No such file"));
  EXPECT_TRUE(run("print(1)").good()) << "it goes on";
}

TEST_P(AnySandbox, EachBeginsInAnEmptyFolder) {
  EXPECT_TRUE(run("open('left', 'w').write('x')").good());
  EXPECT_EQ(run("import os\nprint(os.listdir('.'))").output, "[]\n");
}

TEST_P(AnySandbox, AFolderThatTheProgramHasClosed) {
  EXPECT_TRUE(run("import os\nos.makedirs('d/e')\nopen('d/e/x', 'w').close()\n"
                  "for f in ('d/e', 'd', '.'): os.chmod(f, 0)")
                  .good());
  EXPECT_EQ(run("import os\nprint(os.listdir('.'))").output, "[]\n");
  EXPECT_TRUE(run("import os\nos.rmdir('../run')\nos.symlink('/usr', '../run')").good());
  EXPECT_EQ(run("import os\nprint(os.listdir('.'))").output, "[]\n");
}

// Whatever is seen first, its output or its end.
TEST_P(AnySandbox, TooMuchOutputAtTheEnd) {
  Job job;
  job.words = {"/bin/echo", "0123456789"};
  job.limits.output_bytes = 5;
  for (int i = 0; i < 50; ++i) {
    const auto result = run(job);
    ASSERT_EQ(result.end, JobEnd::out_of_output);
    ASSERT_EQ(result.output, "01234");
  }
}

TEST_P(AnySandbox, NeverEnding) {
  auto job = python("while True: pass");
  job.limits.wall_seconds = 0.3;
  EXPECT_EQ(run(job).end, JobEnd::out_of_time);
  job = python(
      "import time, signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n"
      "    except OSError: pass\ntime.sleep(60)");
  job.limits.wall_seconds = 0.3;
  EXPECT_EQ(run(job).end, JobEnd::out_of_time);
  job = python("while True: pass");
  job.limits.cpu_seconds = 1;
  EXPECT_EQ(run(job).end, JobEnd::out_of_time) << "by processor time";
}

TEST_P(AnySandbox, MemoryBomb) {
  const auto one = run("x = bytearray(10**9)\nprint(len(x))");
  EXPECT_THAT(one.errors, HasSubstr("MemoryError"));
  // Each a part that is allowed, together too much.
  const auto many =
      run("import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        x = bytearray(60 * 2**20)\n        "
          "time.sleep(3)\n        os._exit(0)\ntime.sleep(3)");
  EXPECT_EQ(many.end, JobEnd::out_of_memory);
}

TEST_P(AnySandbox, ForkBomb) {
  const auto result =
      run("import os, time\nfor _ in range(200):\n    try:\n        if os.fork() == 0:\n"
          "            time.sleep(2)\n            os._exit(0)\n    except OSError:\n        pass\n"
          "time.sleep(2)");
  EXPECT_EQ(result.end, JobEnd::out_of_processes);
  EXPECT_EQ(run("import threading, time\nthreading.stack_size(2**18)\nfor _ in range(20): "
                "threading.Thread(target=time.sleep, args=(2,)).start()")
                .end,
            JobEnd::out_of_processes);
}

TEST_P(AnySandbox, AGigabyteOfOutput) {
  const auto result = run("import sys\nfor _ in range(1024): sys.stdout.write('x' * 2**20)");
  EXPECT_EQ(result.end, JobEnd::out_of_output);
  EXPECT_EQ(result.output.size(), kMebi);
  EXPECT_EQ(run("import sys\nfor _ in range(64): sys.stderr.write('x' * 2**20)").end, JobEnd::out_of_output);
}

TEST_P(AnySandbox, OneLargeFile) {
  EXPECT_THAT(run("f = open('large', 'wb')\nfor _ in range(64): f.write(b'x' * 2**20)\n").errors,
              HasSubstr("File too large"));
}

TEST_P(AnySandbox, NothingIsLeftBehind) {
  const auto result =
      run("import os, sys, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        "
          "os.closerange(0, 3)\n        time.sleep(600)\n    os._exit(0)\nos.wait()\nprint('gone')");
  EXPECT_EQ(result.output, "gone\n");
  EXPECT_LT(result.seconds, 5);
}

TEST_P(AnySandbox, NoNetwork) {
  EXPECT_THAT(run("import socket\nsocket.socket(socket.AF_INET).connect(('127.0.0.1', 22))").errors,
              HasSubstr("Operation not permitted"));
  EXPECT_THAT(run("import socket\nsocket.socket(socket.AF_UNIX)").errors, HasSubstr("Operation not permitted"));
  EXPECT_TRUE(run("import socket\nsocket.socketpair()").good());
}

TEST_P(AnySandbox, NoPowers) {
  for (const char* call :
       {"ctypes.CDLL(None).unshare(0x10000000)", "ctypes.CDLL(None).mount(b'none', b'/', b'', 0, b'')",
        "ctypes.CDLL(None).ptrace(16, 1, 0, 0)", "ctypes.CDLL(None).memfd_create(b'x', 0)",
        "ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0)", "ctypes.CDLL(None).kill(-1, 0)"})
    EXPECT_EQ(run(std::string("import ctypes\nprint(") + call + ")").output, "-1\n") << call;
}

TEST_P(Isolated, NoFilesButTheSystems) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "secret", "a secret");
  EXPECT_THAT(run("print(open('" + (folder / "secret").string() + "').read())").errors, HasSubstr("No such file"));
  EXPECT_EQ(
      run("import os\nprint(sorted(os.listdir('/')))\nprint(os.path.exists('/etc/passwd'), os.path.exists('/root'),"
          " os.path.exists('/home'), os.path.exists('/proc/1/root/etc'))")
          .output.find("True"),
      std::string::npos);
  EXPECT_THAT(run("import os\nprint(os.environ)").output, testing::Not(HasSubstr("LACONIC")));
}

TEST_P(Isolated, NothingOfTheSystemCanBeWritten) {
  for (const char* path :
       {"/usr/bin/x", "/x", "/dev/x", "/dev/shm/x", "/etc/x", "/laconic-guard", "/proc/sys/kernel/hostname"})
    EXPECT_FALSE(run(std::string("open('") + path + "', 'w').write('x')").good()) << path;
}

TEST_P(Isolated, FillingTheDisk) {
  EXPECT_THAT(run("for i in range(64): open(str(i), 'wb').write(b'x' * 4 * 2**20)").errors,
              HasSubstr("No space left on device"));
  EXPECT_EQ(run("print(len(__import__('os').listdir('.')))").output, "0\n") << "emptied for the next";
  const auto many = run("for i in range(40000): open(str(i), 'w').close()");
  EXPECT_FALSE(many.good());
}

TEST_P(Isolated, NobodyElseIsThere) {
  EXPECT_THAT(run("import os\nprint(len([p for p in os.listdir('/proc') if p.isdigit()]))").output, "2\n");
  EXPECT_THAT(run("import os\nprint(os.getuid())").output, "1000\n");
}

TEST_P(Isolated, KillingTheParent) {
  const auto result =
      run("import os, signal\nfor p in (1, os.getppid()):\n    for s in (9, 15, 19):\n        "
          "try: os.kill(p, s)\n        except OSError: pass\nprint('still here')");
  EXPECT_EQ(result.output, "still here\n");
  EXPECT_TRUE(run("print(1)").good());
}

TEST_P(Isolated, LookingIntoTheParent) {
  for (const char* file : {"mem", "environ", "maps", "root/usr"})
    EXPECT_FALSE(run(std::string("import os\np='/proc/1/") + file +
                     "'\nos.listdir(p) if os.path.isdir(p) else open(p, 'rb').read(10)")
                     .good())
        << file;
  EXPECT_FALSE(run("import os\nos.write(os.open('/proc/1/fd/4', os.O_WRONLY), b'forged')").good());
  for (int fd = 3; fd < 6; ++fd)
    EXPECT_FALSE(run("import os\nos.write(" + std::to_string(fd) + ", b'forged')").good()) << fd;
}

TEST_P(Isolated, FoldersThatAreMadeReadable) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "given", "for all");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  auto options = options_of(GetParam());
  options.readable = {folder.path().string()};
  Sandbox sandbox(options);
  EXPECT_EQ(run_in(sandbox, python("print(open('" + (folder / "given").string() + "').read())")).output, "for all\n");
  EXPECT_FALSE(run_in(sandbox, python("open('" + (folder / "given").string() + "', 'w')")).good());
}

TEST_P(Isolated, ManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Sandbox sandbox(options_of(GetParam()));
      good += run_in(sandbox, python("print('x')")).output == "x\n";
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST(Sandbox, MechanismsByName) {
  EXPECT_EQ(choose_mechanism("none"), Mechanism::none);
  for (const auto& state : look_at_mechanisms()) {
    if (!state.problem.empty()) continue;
    ASSERT_EQ(::setenv("LACONIC_SANDBOX", to_string(state.mechanism), 1), 0);
    EXPECT_EQ(choose_mechanism("auto"), state.mechanism);
  }
  ::setenv("LACONIC_SANDBOX", "none", 1);
  EXPECT_THAT(error_of([] { choose_mechanism("auto"); }), HasSubstr("expected bubblewrap or namespaces"));
  ::unsetenv("LACONIC_SANDBOX");
}

TEST(Sandbox, WithoutAGuardNothingRuns) {
  ASSERT_EQ(::setenv("LACONIC_GUARD", "/no/such/guard", 1), 0);
  EXPECT_THAT(error_of([] { choose_mechanism("auto"); }), AnyOf(HasSubstr("/no/such/guard")));
  // A guard that can isolate nothing: refused, and `none` is named, not taken.
  ::setenv("LACONIC_GUARD", "/bin/false", 1);
  EXPECT_THAT(error_of([] { choose_mechanism("auto"); }), HasSubstr("sandbox: none"));
  ::unsetenv("LACONIC_GUARD");
}

}  // namespace
}  // namespace laconic::sandbox

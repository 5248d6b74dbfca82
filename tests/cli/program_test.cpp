// The program around the commands: help, version, and what becomes of exceptions.
#include "laconic/cli/program.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "laconic/core/base/error.h"
#include "tests/cli/run_cli.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Program, EveryCommandExplainsItself) {
  const auto main_page = run_cli({"--help"});
  EXPECT_EQ(main_page.status, 0);
  EXPECT_EQ(run_cli({"help"}).out, main_page.out);
  for (const auto& command : all_commands()) {
    EXPECT_THAT(main_page.out, HasSubstr("  " + command.name + " "));
    const auto page = run_cli({command.name, "--help"});
    EXPECT_EQ(page.status, 0);
    EXPECT_EQ(page.err, "");
    EXPECT_THAT(page.out, StartsWith("Usage: laconic " + command.name));
    EXPECT_EQ(run_cli({"help", command.name}).out, page.out);
    for (const auto& row : split(page.out, '\n')) EXPECT_LE(row.size(), 160u) << row;
  }
}

TEST(Program, Version) {
  EXPECT_THAT(run_cli({"--version"}).out, StartsWith("laconic 0."));
}

// A program whose only command throws.
template <int which>
int throwing(const Arguments&, Streams&) {
  switch (which) {
    case 0:
      fail(ErrorKind::usage, "wrong argument");
    case 1:
      fail(ErrorKind::io, "the disk is gone");
    case 2:
      TORCH_CHECK(false, "sizes do not match");
    case 3:
      throw std::bad_alloc();
    case 4:
      LACONIC_CHECK(1 > 2, "impossible");
    default:
      throw 7;
  }
}

Outcome run_throwing(int (*run)(const Arguments&, Streams&)) {
  std::istringstream in;
  std::ostringstream out, err;
  Streams streams{in, out, err};
  const int status = run_main({"x"}, {{"x", "throws", CommandGroup::tools, run}}, streams);
  return {status, out.str(), err.str()};
}

TEST(Program, ExceptionsBecomeOneParagraph) {
  EXPECT_EQ(run_throwing(throwing<0>).status, 2);
  EXPECT_EQ(run_throwing(throwing<0>).err, "laconic x: error: wrong argument\n");
  EXPECT_EQ(run_throwing(throwing<1>).status, 1);
  const auto tensor = run_throwing(throwing<2>);
  EXPECT_EQ(tensor.status, 1);
  EXPECT_THAT(tensor.err, StartsWith("laconic x: error: LibTorch: sizes do not match"));
  EXPECT_THAT(tensor.err, Not(HasSubstr("frame #")));
  EXPECT_THAT(run_throwing(throwing<3>).err, HasSubstr("out of memory"));
  EXPECT_THAT(run_throwing(throwing<4>).err, HasSubstr("This is a mistake of laconic itself"));
  EXPECT_EQ(run_throwing(throwing<5>).status, 1);
}

TEST(Doctor, KnowsThatTheCpuWorks) {
  const auto outcome = run_cli({"doctor"});
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  for (const char* text :
       {"LibTorch", "kernels", "self-test", "GPUs", "locale", "Runs on the CPU: ready", "Runs on GPUs: "})
    EXPECT_THAT(outcome.out, HasSubstr(text));
}

}  // namespace
}  // namespace laconic::cli

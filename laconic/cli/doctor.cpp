// laconic doctor: what this build and this machine are, and what is missing for runs on the CPU and on GPUs.
#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>
#include <torch/headeronly/version.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/gpu_probe.h"
#include "laconic/cli/host.h"
#include "laconic/cli/problem.h"
#include "laconic/cli/program.h"
#include "laconic/cli/self_test.h"
#include "laconic/core/base/build_info.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/parquet.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/sandbox/sandbox.h"

namespace laconic::cli {
namespace {

// The page, and what was found missing on the way.
struct Findings {
  std::string page;
  std::vector<std::string> cpu, gpu;  // missing for runs there, each with how to get it
  std::vector<std::string> advice;    // works, but could be better

  void heading(std::string_view text) { page += fmt::format("{}\n", text); }
  void line(std::string_view what, std::string_view text) { page += fmt::format("  {:<10} {}\n", what, text); }
};

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fmt::format("{} not set", name) : fmt::format("{}={}", name, value);
}

void look_at_build(Findings& findings) {
  const auto build = build_info();
  findings.heading("laconic " + build.version);
  findings.line("commit", build.commit);
  findings.line("build", fmt::format("{}, {}", build.build_type, build.compiler));
  findings.line("LibTorch", TORCH_VERSION);
  findings.line("Parquet", data::parquet_is_built() ? "built in" : "not built in (scripts/setup.sh --parquet)");
  if (build.build_type != "Release")
    findings.advice.push_back(
        fmt::format("this is a {} build; a Release build is several times faster", build.build_type));
}

void look_at_machine(Findings& findings) {
  constexpr double kSmallMemory = 4.0 * (1 << 30);
  const auto processor = host_processor();
  const auto memory = host_memory();
  const std::string folder = std::filesystem::current_path().string();
  const auto disk = host_disk(folder);
  findings.heading("\nMachine");
  findings.line("processor", processor.name.empty() ? "unknown" : processor.name);
  findings.line("cores", fmt::format("{} usable of {}", usable_cores(), processor.cores));
  findings.line("features",
                processor.features.empty() ? "none that laconic has code for" : join(processor.features, " "));
  const auto gib = [](int64_t bytes) { return human_bytes(static_cast<double>(bytes)); };
  findings.line("memory", fmt::format("{} available of {}{}", gib(memory.available_bytes), gib(memory.total_bytes),
                                      memory.usable_bytes < memory.total_bytes
                                          ? fmt::format("; this container may use {}", gib(memory.usable_bytes))
                                          : ""));
  findings.line("disk", fmt::format("{} free of {} in {}, {}", gib(disk.free_bytes), gib(disk.total_bytes), folder,
                                    disk.writable ? "writable" : "not writable"));
  if (static_cast<double>(memory.usable_bytes) < kSmallMemory)
    findings.advice.emplace_back("training a model of 0.5 billion parameters takes about 12 GiB of memory");
  if (!disk.writable)
    findings.cpu.push_back(
        fmt::format("{} cannot be written to: start in another folder or free space on its disk, "
                    "since a run writes its results",
                    folder));
}

void look_at_cpu_work(Findings& findings) {
  findings.heading("\nWork on the CPU");
  const std::string isa = ops::kernels().name;
  findings.line("kernels", fmt::format("{} ({})", isa, setting("LACONIC_ISA")));
  if (isa == "baseline" && std::getenv("LACONIC_ISA") == nullptr)
    findings.advice.emplace_back("this processor has no AVX2: everything works, at a fraction of the speed");
  findings.line("threads", fmt::format("{} by default ({}, {}; laconic has its own threads and leaves OpenMP's alone)",
                                       ops::threads(), setting("OMP_NUM_THREADS"), setting("OMP_WAIT_POLICY")));
  try {
    findings.line("self-test", self_test());
  } catch (...) {
    const std::string message = current_problem().message;
    findings.line("self-test", "failed: " + message);
    findings.cpu.push_back(fmt::format("the self-test fails: {}", message));
  }
}

// The CUDA part lies beside the program or in the lib folder of the same prefix.
bool has_cuda_side() {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  return std::filesystem::exists(folder / "liblaconic_cuda.so", error) ||
         std::filesystem::exists(folder / ".." / "lib" / "liblaconic_cuda.so", error);
}

void look_at_gpus(Findings& findings) {
  findings.heading("\nGPUs");
  const auto probe = probe_gpus();
  findings.line("driver", probe.driver_cuda == 0 ? "none" : "CUDA " + cuda_version_text(probe.driver_cuda));
  for (size_t i = 0; i < probe.gpus.size(); ++i) {
    const auto& gpu = probe.gpus[i];
    findings.line(fmt::format("GPU {}", i), fmt::format("{}, {}, compute capability {}.{}", gpu.name,
                                                        human_bytes(static_cast<double>(gpu.memory_bytes)),
                                                        gpu.compute_major, gpu.compute_minor));
  }
  findings.line("NCCL", nccl_version().value_or("not found (libnccl.so.2)"));
  const std::string compiler = find_program("nvcc", {"/usr/local/cuda/bin"});
  findings.line("toolkit", compiler.empty() ? "not found (nvcc)" : compiler);
  findings.line("this build", has_cuda_side() ? "with the CUDA side" : "without the CUDA side");
  if (!probe.problem.empty())
    findings.gpu.push_back(
        fmt::format("{}; an NVIDIA GPU with its driver is needed, and `nvidia-smi` must list it", probe.problem));
  if (!has_cuda_side())
    findings.gpu.emplace_back(
        "this build has no CUDA side: `scripts/setup.sh --cuda` fetches what it needs and builds "
        "build/cuda/laconic");
  findings.gpu.emplace_back("layers and rollout do not use GPUs yet (docs/gpu-status.md says what there is)");
}

// Where programs written by a model are run: the verifier `code`.
void look_at_sandboxes(Findings& findings) {
  findings.heading("\nSandbox for code that a model writes");
  bool any = false;
  for (const auto& state : sandbox::look_at_mechanisms()) {
    any |= state.problem.empty();
    findings.line(to_string(state.mechanism), state.problem.empty() ? "works" : "does not work: " + state.problem);
  }
  if (!any)
    findings.advice.emplace_back(
        "the verifier `code` has no sandbox here and runs nothing unless `sandbox: none` is set; the package "
        "bubblewrap may help (docs/rewards.md)");
}

void look_at_text(Findings& findings) {
  const locale_t locale = ::newlocale(LC_ALL_MASK, "", static_cast<locale_t>(nullptr));
  std::string codeset = "not installed";
  if (locale != static_cast<locale_t>(nullptr)) {
    codeset = ::nl_langinfo_l(CODESET, locale);
    ::freelocale(locale);
  }
  findings.heading("\nText");
  findings.line("locale", fmt::format("{}, {}: {}; files are UTF-8 and numbers have a point in any case",
                                      setting("LANG"), setting("LC_ALL"), codeset));
  if (codeset != "UTF-8")
    findings.advice.emplace_back(
        "the terminal's locale is not UTF-8: completions may look wrong on the screen; "
        "`export LC_ALL=C.UTF-8` helps");
}

void conclude(Findings& findings, std::string_view what, const std::vector<std::string>& missing) {
  findings.page += fmt::format("\n{}: {}\n", what, missing.empty() ? "ready" : "not ready");
  for (const auto& text : missing) findings.page += fmt::format("  - {}\n", text);
}

int run_doctor(const Arguments& arguments, Streams& streams) {
  CommandLine line("doctor",
                   "Says what this build and this machine are, and what is missing for runs on the CPU and on GPUs.\n"
                   "The exit status is 0 when runs on the CPU work.");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  Findings findings;
  look_at_build(findings);
  look_at_machine(findings);
  look_at_cpu_work(findings);
  look_at_gpus(findings);
  look_at_sandboxes(findings);
  look_at_text(findings);
  conclude(findings, "Runs on the CPU", findings.cpu);
  conclude(findings, "Runs on GPUs", findings.gpu);
  for (const auto& text : findings.advice) findings.page += fmt::format("\nNote: {}.\n", text);
  write_checked(streams.out, findings.page);
  return findings.cpu.empty() ? kSuccess : kFailure;
}

}  // namespace

Command doctor_command() {
  return {"doctor", "this build, this machine, and what is missing for runs", CommandGroup::tools, run_doctor};
}

}  // namespace laconic::cli

#include "laconic/core/distributed/rank_facts.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::distributed {
namespace {

constexpr int64_t kMostRanks = 1 << 20;
constexpr int64_t kLastPort = 65535;

int64_t number(const std::string& name, const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    fail(ErrorKind::usage, "{}: expected a whole number from {} to {}, found `{}`", name, least, most, text);
  }
  return value;
}

// The variables of one starter.
class Variables {
 public:
  Variables(const Environment& environment, std::string source)
      : environment_(environment), source_(std::move(source)) {}

  std::optional<std::string> find(const std::string& name) const { return environment_(name); }
  std::string text(const std::string& name) const {
    const auto value = environment_(name);
    if (!value) fail(ErrorKind::usage, "{} set this rank, but the variable {} is missing", source_, name);
    return *value;
  }
  int whole(const std::string& name, int64_t least, int64_t most) const {
    return static_cast<int>(number(name, text(name), least, most));
  }
  int whole_or(const std::string& name, int64_t least, int64_t most, int fallback) const {
    return find(name) ? whole(name, least, most) : fallback;
  }

 private:
  const Environment& environment_;
  std::string source_;
};

void set_meeting_place(const std::string& name, const std::string& text, RankFacts& facts) {
  constexpr std::string_view kFile = "file:";
  if (text.starts_with(kFile)) {
    facts.file = text.substr(kFile.size());
    if (facts.file.empty()) fail(ErrorKind::usage, "{}: expected a path behind `file:`, found nothing", name);
    return;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    fail(ErrorKind::usage, "{}: expected HOST:PORT or file:PATH, found `{}`", name, text);
  facts.host = text.substr(0, colon);
  facts.port = static_cast<int>(number(name, text.substr(colon + 1), 1, kLastPort));
}

RankFacts from_flags(const RankFlags& flags) {
  RankFacts facts;
  facts.source = "flags";
  if (!flags.rank || !flags.world_size || flags.meet.empty())
    fail(ErrorKind::usage, "a rank by hand needs all of --rank, --world-size and --meet HOST:PORT (or file:PATH)");
  facts.rank = static_cast<int>(*flags.rank);
  facts.world_size = static_cast<int>(*flags.world_size);
  facts.local_rank = static_cast<int>(flags.local_rank.value_or(0));
  facts.local_world_size = 1;
  set_meeting_place("--meet", flags.meet, facts);
  return facts;
}

RankFacts from_launcher(const Environment& environment) {
  const Variables v(environment, "laconic launch");
  RankFacts facts;
  facts.source = "laconic launch";
  facts.world_size = v.whole("LACONIC_WORLD_SIZE", 1, kMostRanks);
  facts.rank = v.whole("LACONIC_RANK", 0, kMostRanks);
  facts.local_rank = v.whole("LACONIC_LOCAL_RANK", 0, kMostRanks);
  facts.local_world_size = v.whole("LACONIC_LOCAL_WORLD_SIZE", 1, kMostRanks);
  facts.run_id = v.find("LACONIC_RUN_ID").value_or("");
  facts.listen_descriptor = v.whole_or("LACONIC_LISTEN_FD", 0, std::numeric_limits<int>::max(), -1);
  set_meeting_place("LACONIC_MEET", v.text("LACONIC_MEET"), facts);
  return facts;
}

RankFacts from_torchrun(const Environment& environment) {
  const Variables v(environment, "RANK");
  RankFacts facts;
  facts.source = "torchrun's variables";
  facts.world_size = v.whole("WORLD_SIZE", 1, kMostRanks);
  facts.rank = v.whole("RANK", 0, kMostRanks);
  facts.local_rank = v.whole_or("LOCAL_RANK", 0, kMostRanks, 0);
  facts.local_world_size = v.whole_or("LOCAL_WORLD_SIZE", 1, kMostRanks, 1);
  facts.run_id = v.find("TORCHELASTIC_RUN_ID").value_or("");
  facts.host = v.text("MASTER_ADDR");
  facts.port = v.whole("MASTER_PORT", 1, kLastPort);
  return facts;
}

// "2(x3),1": tasks of each node.
int tasks_of_first_node(const std::string& text) {
  return static_cast<int>(number("SLURM_STEP_TASKS_PER_NODE", text.substr(0, text.find_first_of("(,")), 1, kMostRanks));
}

RankFacts from_slurm(const Environment& environment) {
  constexpr int64_t kFirstPort = 20000, kPorts = 20000;  // below the ports that systems give out by themselves
  constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
  const Variables v(environment, "SLURM");
  RankFacts facts;
  facts.source = "SLURM";
  facts.world_size = v.whole("SLURM_STEP_NUM_TASKS", 1, kMostRanks);
  facts.rank = v.whole("SLURM_PROCID", 0, kMostRanks);
  facts.local_rank = v.whole("SLURM_LOCALID", 0, kMostRanks);
  facts.local_world_size = tasks_of_first_node(v.find("SLURM_STEP_TASKS_PER_NODE").value_or("1"));
  facts.cores = v.whole_or("SLURM_CPUS_PER_TASK", 1, kMostRanks, 0);
  const std::string job = v.text("SLURM_JOB_ID"), step = v.text("SLURM_STEP_ID");
  facts.run_id = fmt::format("slurm {}.{}", job, step);
  facts.host = v.find("MASTER_ADDR").value_or("");
  if (facts.host.empty()) facts.host = first_host(v.text("SLURM_STEP_NODELIST"));
  const int64_t chosen =
      kFirstPort + (number("SLURM_JOB_ID", job, 0, kLargest) + number("SLURM_STEP_ID", step, 0, kLargest)) % kPorts;
  facts.port = v.whole_or("MASTER_PORT", 1, kLastPort, static_cast<int>(chosen));
  return facts;
}

RankFacts found(const RankFlags& flags, const Environment& environment) {
  if (flags.rank || flags.world_size || flags.local_rank || !flags.meet.empty()) return from_flags(flags);
  if (environment("LACONIC_RANK") || environment("LACONIC_WORLD_SIZE")) return from_launcher(environment);
  if (environment("RANK") || environment("WORLD_SIZE")) return from_torchrun(environment);
  // A batch script or an interactive shell inside of an allocation is no rank; a job step's task is.
  if (environment("SLURM_STEP_ID") && environment("SLURM_PROCID")) return from_slurm(environment);
  RankFacts facts;
  facts.source = "one process";
  return facts;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

RankFacts rank_facts(const RankFlags& flags, const Environment& environment) {
  auto facts = found(flags, environment);
  if (facts.rank >= facts.world_size) {
    fail(ErrorKind::usage, "{}: rank {} of a world size of {}: ranks go from 0 to {}", facts.source, facts.rank,
         facts.world_size, facts.world_size - 1);
  }
  return facts;
}

std::string first_host(const std::string& hosts) {
  const auto bracket = hosts.find_first_of("[,");
  if (bracket == std::string::npos || hosts[bracket] == ',') return hosts.substr(0, bracket);
  const auto end = hosts.find_first_of(",-]", bracket);
  return hosts.substr(0, bracket) + hosts.substr(bracket + 1, end - bracket - 1);
}

}  // namespace laconic::distributed

#include "laconic/core/distributed/faults.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"

namespace laconic::distributed {
namespace {

constexpr const char* kVariable = "LACONIC_FAULT";
constexpr std::array<std::string_view, 4> kInPhases = {"kill", "stall", "error", "corrupt"};

bool in_phases(std::string_view kind) {
  return std::find(kInPhases.begin(), kInPhases.end(), kind) != kInPhases.end();
}

int64_t whole(const std::string& key, const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail(ErrorKind::usage, "{}: {}: expected a whole number, found `{}`", kVariable, key, text);
  return value;
}

}  // namespace

Faults Faults::parse(const std::string& text) {
  Faults faults;
  for (const auto& part : split(text, ';')) {
    if (!trim(part).empty()) faults.faults_.push_back(parse_one(std::string(trim(part))));
  }
  return faults;
}

Faults::Fault Faults::parse_one(const std::string& text) {
  const std::vector<std::string> kinds = {"kill",         "stall",  "error",      "corrupt",
                                          "nan_gradient", "desync", "fail_write", "slow_write"};
  const auto colon = text.find(':');
  Fault fault;
  fault.kind = text.substr(0, colon);
  if (std::find(kinds.begin(), kinds.end(), fault.kind) == kinds.end()) {
    fail(ErrorKind::usage, "{}: expected one of {}, found `{}`{}", kVariable, join(kinds, ", "), fault.kind,
         did_you_mean(fault.kind, kinds));
  }
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  for (const auto& item : split(rest, ',')) {
    const auto equals = item.find('=');
    const std::string key = item.substr(0, equals), value = equals == std::string::npos ? "" : item.substr(equals + 1);
    if (key == "rank") {
      fault.rank = whole(key, value);
    } else if (key == "step") {
      fault.step = whole(key, value);
    } else if (key == "phase" && in_phases(fault.kind)) {
      fault.phase = value;
    } else if (key == "collective" && fault.kind == "corrupt") {
      fault.collective = whole(key, value);
    } else {
      fail(ErrorKind::usage, "{}: {}: expected rank=N, step=N{}{}, found `{}`", kVariable, fault.kind,
           in_phases(fault.kind) ? ", phase=NAME" : "", fault.kind == "corrupt" ? ", collective=N" : "", item);
    }
  }
  if (fault.collective < 1) fail(ErrorKind::usage, "{}: `{}`: collectives count from 1", kVariable, text);
  if (fault.step < 1 || (in_phases(fault.kind) && fault.phase.empty()))
    fail(ErrorKind::usage, "{}: `{}` needs rank, step (from 1) and, where it belongs to a phase, phase", kVariable,
         text);
  return fault;
}

Faults Faults::from_environment() {
  const char* text = std::getenv(kVariable);
  return text == nullptr ? Faults() : parse(text);
}

uint64_t Faults::at(int rank, int64_t step, std::string_view phase) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (!in_phases(it->kind) || it->rank != rank || it->step != step || it->phase != phase) continue;
    const std::string kind = it->kind;
    const int64_t collective = it->collective;
    faults_.erase(it);
    log_warning("{}: {} of rank {} at step {} in phase {}", kVariable, kind, rank, step, phase);
    if (kind == "kill") ::kill(::getpid(), SIGKILL);
    if (kind == "corrupt") return static_cast<uint64_t>(collective);
    while (kind == "stall") std::this_thread::sleep_for(std::chrono::hours(1));
    fail(ErrorKind::internal, "{}: an error on purpose of rank {} at step {} in phase {}", kVariable, rank, step,
         phase);
  }
  return 0;
}

bool Faults::due(std::string_view kind, int rank, int64_t step) {
  const auto found = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.kind == kind && fault.rank == rank && fault.step == step;
  });
  if (found == faults_.end()) return false;
  faults_.erase(found);
  log_warning("{}: {} on rank {} at step {}", kVariable, kind, rank, step);
  return true;
}

}  // namespace laconic::distributed

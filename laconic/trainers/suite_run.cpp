#include "laconic/trainers/suite_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/stop_signal.h"
#include "laconic/trainers/suite_process.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json read_json(const fs::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: {}", path.string(), parser_reason(error.what()));
  }
}

// Whether the folder holds a finished run. One under another configuration is an Error that shows where they part.
bool is_finished(const fs::path& folder, const std::string& config_yaml) {
  if (!fs::exists(folder / "summary.json")) return false;
  const auto had = split(read_file(folder / "config.yaml"), '\n'), wanted = split(config_yaml, '\n');
  for (size_t i = 0; i < std::max(had.size(), wanted.size()); ++i) {
    const std::string before = i < had.size() ? had[i] : "", now = i < wanted.size() ? wanted[i] : "";
    if (before != now) {
      fail(ErrorKind::usage,
           "{} was finished under another configuration (line {}: `{}`, now `{}`); remove the folder to run it again, "
           "or choose another --out",
           folder.string(), i + 1, trim(before), trim(now));
    }
  }
  return true;
}

template <typename Config>
std::string effective_yaml(const fs::path& file, const std::vector<std::string>& overrides) {
  Config config;
  config::read_from_file(file, overrides, config);
  return config::dump_yaml(config);
}

int64_t lines_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::count(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>(), '\n');
}

class FailedPart : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One thing to be done by a process after the other; throws FailedPart.
struct Item {
  std::string what;
  std::function<void()> work;
  fs::path steps_file;  // metrics.jsonl of its run, for the progress
  int64_t steps = 0;
};

class Runner {
 public:
  Runner(const SuitePlan& plan, int jobs) : plan_(plan), jobs_(jobs) {}

  SuiteOutcome run() {
    std::vector<Item> items;
    for (const auto& base : plan_.bases) items.push_back(base_item(base));
    run_items("bases", items);
    items.clear();
    for (const auto& base : plan_.bases) {
      for (const auto& method : plan_.methods) {
        if (method.needs_pass_rates && outcome_.bases.contains(base.name)) items.push_back(rates_item(base, method));
      }
    }
    run_items("reference pass rates", items);
    items.clear();
    for (int seed = 0; seed < plan_.seeds; ++seed) {
      for (const auto& base : plan_.bases) {
        for (const auto& method : plan_.methods) items.push_back(method_item(base, method, seed));
      }
    }
    run_items("runs", items);
    return std::move(outcome_);
  }

 private:
  void run_process(const std::vector<std::string>& arguments, const std::string& log) {
    const auto child = run_laconic(arguments, plan_.log_file(log));
    if (child.stopped || stop_requested()) throw Stopped{};
    if (child.status != 0)
      throw FailedPart(fmt::format("{} (all of it in {})", child.reason, plan_.log_file(log).string()));
  }

  // Evaluates unless it is done.
  void evaluate(const EvalConfig& config, const std::string& log) {
    const fs::path folder = config.output.folder;
    const auto yaml = config::dump_yaml(config);
    if (is_finished(folder, yaml)) return;
    const auto file = folder.parent_path() / (folder.filename().string() + ".yaml");
    fs::create_directories(folder.parent_path());
    write_file_atomic(file, yaml);
    run_process({"eval", file.string()}, log);
  }

  // Attempts of growing length until the target is reached.
  Item base_item(const SuiteBase& base) {
    const auto work = [this, &base] {
      double reached = 0;
      const auto target = plan_.settings.base_targets.find(base.name);
      const double wanted = target == plan_.settings.base_targets.end() ? 0.0 : target->second;
      for (int attempt = 1; attempt <= plan_.settings.base_attempts; ++attempt) {
        const auto ready = attempt_base(base, attempt);
        const auto summary = read_json(ready.evaluation / "summary.json");
        reached = summary.at("accuracy").get<double>();
        log_info("base {}, attempt {}: accuracy {:.1f} %, {:.1f} tokens{}", base.name, attempt, 100 * reached,
                 summary.at("mean_tokens").get<double>(),
                 reached < wanted ? fmt::format(", below its target of {:.1f} %", 100 * wanted) : "");
        if (reached < wanted) continue;
        const std::lock_guard lock(mutex_);
        outcome_.bases[base.name] = ready;
        return;
      }
      throw FailedPart(
          fmt::format("after {} attempts its accuracy is {:.3f}, expected at least {:.3f} "
                      "(suite.base_targets)",
                      plan_.settings.base_attempts, reached, wanted));
    };
    return {"base " + base.name, work, plan_.attempt_folder(base, 1) / "metrics.jsonl", base.config.train.steps};
  }

  ReadyBase attempt_base(const SuiteBase& base, int attempt) {
    const auto folder = plan_.attempt_folder(base, attempt);
    const auto overrides = attempt_overrides(plan_, base, attempt);
    const std::string log = fmt::format("base-{}-{}", base.name, attempt);
    if (!is_finished(folder, effective_yaml<SftConfig>(base.file, overrides))) {
      std::vector<std::string> arguments = {"sft", base.file.string(), "--resume"};
      arguments.insert(arguments.end(), overrides.begin(), overrides.end());
      run_process(arguments, log);
    }
    ReadyBase ready{attempt, folder / "model", plan_.base_eval_folder(base, attempt)};
    evaluate(final_evaluation(plan_, plan_.methods.front(), 0, ready.model, ready.evaluation), log);
    return ready;
  }

  Item rates_item(const SuiteBase& base, const SuiteMethod& method) {
    const auto work = [this, &base, &method] {
      evaluate(pass_rate_evaluation(plan_, method, outcome_.bases.at(base.name).model,
                                    plan_.pass_rates_folder(base, method)),
               fmt::format("pass-rates-{}-{}", base.name, method.name));
    };
    return {fmt::format("pass rates of {} for {}", base.name, method.name), work, {}, 0};
  }

  Item method_item(const SuiteBase& base, const SuiteMethod& method, int seed) {
    const auto folder = plan_.run_folder(base, method, seed);
    const auto work = [this, &base, &method, seed, folder] {
      const auto ready = outcome_.bases.find(base.name);
      if (ready == outcome_.bases.end()) throw FailedPart(fmt::format("its base {} is not there", base.name));
      const auto overrides = run_overrides(plan_, base, method, seed, ready->second.model);
      const std::string log = fmt::format("{}-{}-{}", base.name, method.name, seed);
      const bool finished = is_finished(folder, effective_yaml<RlConfig>(method.file, overrides));
      if (!finished) {
        std::vector<std::string> arguments = {"train", method.file.string(), "--resume"};
        arguments.insert(arguments.end(), overrides.begin(), overrides.end());
        run_process(arguments, log);
      }
      const auto evaluation = plan_.eval_folder(base, method, seed);
      evaluate(final_evaluation(plan_, method, seed, folder / "model", evaluation), log);
      if (!finished) log_finished(base, method, seed, evaluation);
    };
    return {fmt::format("{} on {}, seed {}", method.name, base.name, seed), work, folder / "metrics.jsonl",
            method.config.train.steps};
  }

  void log_finished(const SuiteBase& base, const SuiteMethod& method, int seed, const fs::path& evaluation) const {
    const auto summary = read_json(evaluation / "summary.json");
    log_info("{} on {}, seed {}: accuracy {:.1f} %, {:.1f} tokens", method.name, base.name, seed,
             100 * summary.at("accuracy").get<double>(), summary.at("mean_tokens").get<double>());
  }

  // All items of a phase, the progress counted in training steps.
  void run_items(const std::string& label, const std::vector<Item>& items) {
    if (items.empty() || outcome_.stopped) return;
    std::vector<int64_t> done_before;
    int64_t steps = 0;
    for (const auto& item : items) {
      done_before.push_back(lines_of(item.steps_file));
      steps += std::max<int64_t>(0, item.steps - done_before.back());
    }
    std::atomic<size_t> next{0}, ended{0}, running{0};
    running = static_cast<size_t>(jobs_);
    std::vector<std::thread> workers;
    workers.reserve(static_cast<size_t>(jobs_));
    for (int i = 0; i < jobs_; ++i) {
      workers.emplace_back([&] {
        for (size_t at = next++; at < items.size() && !stop_requested(); at = next++) {
          run_item(items[at]);
          ++ended;
        }
        --running;
      });
    }
    {
      metrics::Progress progress(label, steps, "steps");
      for (int tick = 1; running > 0; ++tick) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        if (tick % 10 != 0) continue;
        int64_t done = 0;
        for (size_t i = 0; i < items.size(); ++i)
          done += std::max<int64_t>(0, std::min(lines_of(items[i].steps_file), items[i].steps) - done_before[i]);
        progress.update(done, fmt::format("{}/{} done, {} failed", ended.load(), items.size(), failures()));
      }
    }
    for (auto& worker : workers) worker.join();
    outcome_.stopped |= stop_requested();
  }

  void run_item(const Item& item) {
    try {
      item.work();
    } catch (const Stopped&) {
      const std::lock_guard lock(mutex_);
      outcome_.stopped = true;
    } catch (const std::exception& error) {
      log_error("{} failed: {}", item.what, error.what());
      const std::lock_guard lock(mutex_);
      outcome_.failures.push_back({item.what, error.what()});
    }
  }

  size_t failures() {
    const std::lock_guard lock(mutex_);
    return outcome_.failures.size();
  }

  const SuitePlan& plan_;
  int jobs_;
  std::mutex mutex_;
  SuiteOutcome outcome_;
};

}  // namespace

SuiteOutcome run_suite(const SuitePlan& plan, int jobs) {
  ensure_writable_folder(plan.out);
  return Runner(plan, jobs).run();
}

}  // namespace laconic::trainers

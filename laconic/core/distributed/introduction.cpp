#include "laconic/core/distributed/introduction.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"

namespace laconic::distributed {
namespace {

using nlohmann::json;

constexpr auto kPoll = std::chrono::milliseconds(20);
constexpr const char* kProblem = "problem";

std::string rank_key(int rank) {
  return fmt::format("rank/{}", rank);
}

// "rank 2 (host a, process 17)"
std::string named(int rank, const json& record) {
  return fmt::format("rank {} ({})", rank, record.at("name").get<std::string>());
}

// Lines of one text that the other lacks, joined; at most a few.
std::string lines_only_in(const std::string& text, const std::string& other) {
  constexpr size_t kShown = 6;
  const auto theirs = split(other, '\n');
  std::vector<std::string> lines;
  for (const auto& line : split(text, '\n')) {
    if (std::find(theirs.begin(), theirs.end(), line) == theirs.end()) lines.emplace_back(trim(line));
  }
  const bool more = lines.size() > kShown;
  if (more) lines.resize(kShown);
  return lines.empty() ? "nothing else" : "`" + join(lines, "`, `") + "`" + (more ? ", ..." : "");
}

class Introduction {
 public:
  Introduction(KeyValueStore& store, const RankFacts& facts, const Identity& identity, const std::string& name)
      : store_(store), facts_(facts) {
    mine_ = {{"name", name}, {"world_size", facts.world_size}, {"source", facts.source}};
    mine_["identity"] = json::array();
    for (const auto& [key, value] : identity) mine_["identity"].push_back({key, value});
  }

  void run(std::chrono::milliseconds timeout) {
    check_run();
    try {
      take_rank();
      wait_for_all(timeout);
      compare();
    } catch (const Error&) {
      leave();
      throw;
    }
  }

 private:
  [[noreturn]] void problem(const std::string& text) const {
    fail(ErrorKind::usage, "rank {} of {} ({}): {}", facts_.rank, facts_.world_size,
         mine_.at("name").get<std::string>(), text);
  }

  // Tells the others as well; the first problem is what all of them say.
  [[noreturn]] void common_problem(const std::string& text) { problem(store_.set_if_absent(kProblem, text)); }

  // Rank 0 serves the store: it stays until those who came have heard what is wrong.
  void leave() {
    constexpr double kPatience = 5;
    try {
      store_.add("heard", 1);
      if (facts_.rank != 0) return;
      for (const Timer timer; store_.add("heard", 0) < store_.add("arrivals", 0) && timer.seconds() < kPatience;)
        std::this_thread::sleep_for(kPoll);
    } catch (const Error&) {
      return;  // rank 0 has gone, and the store with it: what is wrong is known here
    }
  }

  void check_run() {
    const std::string mine = facts_.run_id + "\n" + named(facts_.rank, mine_);
    const std::string theirs = store_.set_if_absent("run", mine);
    const auto id = [](const std::string& text) { return text.substr(0, text.find('\n')); };
    if (id(theirs) == id(mine)) return;
    problem(fmt::format("another run is in this place: it is `{}`, begun by {}; this run is `{}`{}", id(theirs),
                        theirs.substr(theirs.find('\n') + 1), id(mine), if_left_over()));
  }

  // A store in a file outlives its ranks where they are killed.
  std::string if_left_over() const {
    return facts_.file.empty() ? ""
                               : fmt::format("; where that one is gone, delete the file {} that it left", facts_.file);
  }

  void take_rank() {
    if (store_.add(fmt::format("taken/{}", facts_.rank), 1) > 1) {
      const auto other = store_.get(rank_key(facts_.rank));
      common_problem(fmt::format("rank {} was started twice: {} and {}{}", facts_.rank,
                                 other ? json::parse(*other).at("name").get<std::string>() : "another process",
                                 mine_.at("name").get<std::string>(), if_left_over()));
    }
    store_.set(rank_key(facts_.rank), mine_.dump());
    const auto place = store_.add("arrivals", 1);
    store_.set(fmt::format("arrival/{}", place), std::to_string(facts_.rank));
  }

  void wait_for_all(std::chrono::milliseconds timeout) {
    const Timer timer;
    while (members_.size() < static_cast<size_t>(facts_.world_size)) {
      if (const auto text = store_.get(kProblem)) problem(*text);
      if (take_arrivals()) continue;
      if (timer.seconds() > std::chrono::duration<double>(timeout).count()) common_problem(missing(timeout));
      std::this_thread::sleep_for(kPoll);
    }
  }

  // False: nobody new has come.
  bool take_arrivals() {
    const auto arrival = store_.get(fmt::format("arrival/{}", members_.size() + 1));
    if (!arrival) return false;
    const int rank = std::stoi(*arrival);
    const auto record = json::parse(store_.get(rank_key(rank)).value_or("{}"));
    members_[rank] = record;
    if (record.at("world_size") != facts_.world_size) {
      common_problem(fmt::format("{} was told a world size of {} (by {}), {} one of {} (by {})", named(rank, record),
                                 record.at("world_size").get<int>(), record.at("source").get<std::string>(),
                                 named(facts_.rank, mine_), facts_.world_size, facts_.source));
    }
    return true;
  }

  std::string missing(std::chrono::milliseconds timeout) const {
    std::vector<std::string> absent, present;
    for (int rank = 0; rank < facts_.world_size; ++rank) {
      const auto found = members_.find(rank);
      if (found == members_.end()) {
        absent.push_back(std::to_string(rank));
      } else {
        present.push_back(named(rank, found->second));
      }
    }
    return fmt::format("rank {} did not come within {}; here are {}", join(absent, ", "),
                       human_duration(std::chrono::duration<double>(timeout).count()), join(present, ", "));
  }

  // All ranks see the same records and find the same differences.
  void compare() const {
    const auto& first = members_.at(0).at("identity");
    std::string differences;
    for (const auto& [rank, record] : members_) {
      const auto& identity = record.at("identity");
      for (size_t i = 0; i < first.size(); ++i) {
        if (i < identity.size() && identity[i] == first[i]) continue;
        const auto text = [i](const json& all) { return i < all.size() ? all[i][1].get<std::string>() : ""; };
        differences +=
            fmt::format("\n  {} has another {} than {}: {} instead of {}", named(rank, record),
                        first[i][0].get<std::string>(), named(0, members_.at(0)),
                        lines_only_in(text(identity), text(first)), lines_only_in(text(first), text(identity)));
      }
    }
    if (!differences.empty()) problem("the ranks do not run the same:" + differences);
  }

  KeyValueStore& store_;
  const RankFacts& facts_;
  json mine_;
  std::map<int, json> members_;
};

}  // namespace

std::string process_name() {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '?';
  return fmt::format("host {}, process {}", host, ::getpid());
}

void introduce(KeyValueStore& store, const RankFacts& facts, const Identity& identity, const std::string& name,
               std::chrono::milliseconds timeout) {
  Introduction(store, facts, identity, name).run(timeout);
}

}  // namespace laconic::distributed

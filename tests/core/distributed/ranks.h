// Ranks of both kinds for tests: threads that meet in memory, and threads that are joined over Gloo as processes would
// be.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "laconic/core/distributed/rendezvous.h"
#include "laconic/core/distributed/thread_group.h"
#include "tests/support/temporary_folder.h"

namespace laconic::distributed {

inline RankFacts facts_of(int rank, int world_size, int port) {
  RankFacts facts;
  facts.rank = rank;
  facts.world_size = world_size;
  facts.host = "127.0.0.1";
  facts.port = port;
  facts.run_id = "test";
  facts.source = "the test";
  return facts;
}

// A port of this machine that no other test can take meanwhile: rank 0 is handed the socket that listens on it.
class Port {
 public:
  explicit Port(bool listening = true) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, size) != 0 || (listening && ::listen(socket_, SOMAXCONN) != 0) ||
        ::getsockname(socket_, generic, &size) != 0)
      throw std::runtime_error("no free port");
    number_ = ntohs(address.sin_port);
  }
  ~Port() {
    if (socket_ >= 0) ::close(socket_);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int number() const { return number_; }
  RankFacts facts_of(int rank, int world_size) {
    auto facts = distributed::facts_of(rank, world_size, number_);
    if (rank == 0) facts.listen_descriptor = std::exchange(socket_, -1);
    return facts;
  }

 private:
  int socket_;
  int number_ = 0;
};

// Calls body(rank) on a thread per rank; returns what each threw, "" where nothing.
inline std::vector<std::string> in_threads(int ranks, const std::function<void(int)>& body) {
  std::vector<std::string> messages(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  threads.reserve(messages.size());
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(rank);
      } catch (const std::exception& error) {
        messages[static_cast<size_t>(rank)] = error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return messages;
}

enum class Backend { threads, gloo_tcp, gloo_file };

// Runs `body` on every rank and lets the first failure out.
inline void on_ranks(Backend backend, int world_size, const std::function<void(Communicator&)>& body) {
  if (backend == Backend::threads) return ThreadGroup(world_size).run(body);
  const TemporaryFolder folder;
  Port port;
  const auto messages = in_threads(world_size, [&](int rank) {
    auto facts = backend == Backend::gloo_file ? facts_of(rank, world_size, 0) : port.facts_of(rank, world_size);
    if (backend == Backend::gloo_file) {
      facts.host.clear();
      facts.file = (folder / "meet").string();
    }
    JoinOptions options;
    options.start_timeout = std::chrono::seconds(30);
    options.collective_timeout = std::chrono::seconds(30);
    const auto joined = join_ranks(facts, {{"program", "a"}}, options);
    body(joined->communicator());
    joined->communicator().barrier();
  });
  for (const auto& message : messages) {
    if (!message.empty()) throw std::runtime_error(message);
  }
}

}  // namespace laconic::distributed

#include "laconic/core/distributed/rendezvous.h"

#include <ATen/Version.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/distributed/backend_communicator.h"
#include "laconic/core/distributed/c10d_store.h"

namespace laconic::distributed {
namespace {

// The address of this machine from which `host` is reached; "" where the system does not say.
std::string address_towards(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;  // connecting sends nothing: it only chooses a route
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  std::string address;
  const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    char text[NI_MAXHOST] = {};
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&local), size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      address = text;
  }
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return address;
}

std::shared_ptr<gloo::transport::Device> device(const RankFacts& facts, const JoinOptions& options) {
  using Gloo = c10d::ProcessGroupGloo;
  if (!options.interface.empty()) return Gloo::createDeviceForInterface(options.interface);
  const std::string address = facts.host.empty() ? "" : address_towards(facts.host, facts.port);
  return address.empty() ? Gloo::createDefaultDevice() : Gloo::createDeviceForHostname(address);
}

class GlooRanks final : public JoinedRanks {
 public:
  GlooRanks(RankFacts facts, const Identity& identity, const JoinOptions& options)
      : facts_(std::move(facts)), store_(open_store(facts_, options.start_timeout)) {
    C10dStore texts(store_);
    introduce(texts, facts_, identity, process_name(), options.start_timeout);
    auto gloo = c10d::ProcessGroupGloo::Options::create(options.collective_timeout);
    gloo->devices.push_back(device(facts_, options));
    // The connections are made here, within the store's timeout.
    communicator_ = std::make_unique<BackendCommunicator>(c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", store_), facts_.rank, facts_.world_size, gloo));
  }

  Communicator& communicator() override { return *communicator_; }
  std::unique_ptr<Blackboard> blackboard() override { return open_blackboard(facts_, store_); }

 private:
  RankFacts facts_;
  c10::intrusive_ptr<c10d::Store> store_;  // outlives the communicator
  std::unique_ptr<BackendCommunicator> communicator_;
};

std::string hash_of(const MappedFile& file) {
  uint64_t hash = 0xcbf29ce484222325ull;  // FNV-1a
  for (size_t i = 0; i < file.size(); ++i) hash = (hash ^ std::to_integer<uint64_t>(file.data()[i])) * 0x100000001b3ull;
  return fmt::format("{:016x} ({} bytes)", hash, file.size());
}

}  // namespace

Identity program_identity() {
  return {{"program", hash_of(MappedFile("/proc/self/exe"))},
          {"instruction set of LibTorch", at::get_cpu_capability()}};
}

std::unique_ptr<JoinedRanks> join_ranks(const RankFacts& facts, const Identity& identity, const JoinOptions& options) {
  try {
    return std::make_unique<GlooRanks>(facts, identity, options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    fail(ErrorKind::io, "rank {} of {}: cannot connect to the other ranks: {}", facts.rank, facts.world_size,
         text.substr(0, text.find('\n')));
  }
}

}  // namespace laconic::distributed

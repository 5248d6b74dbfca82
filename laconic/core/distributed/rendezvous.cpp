#include "laconic/core/distributed/rendezvous.h"

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
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

// c10d writes every collective into one flight recorder per process, whose table of groups is not guarded: two groups
// in one process (ranks as threads, a library's users) could tear it. The watchdog tells what it would, so it is off,
// unless whoever started the process wants it.
void disable_flight_recorder() {
  static const int set = ::setenv("TORCH_FR_BUFFER_SIZE", "0", /*overwrite=*/0);
  static_cast<void>(set);
}

// Gloo's own reduce-scatter is an all-reduce of which most is thrown away: twice the traffic. Here each rank sends
// every other its part, and adds up what comes in the order of the ranks, in f32 where the dtype is narrower.
class GlooCommunicator final : public BackendCommunicator {
 public:
  using BackendCommunicator::BackendCommunicator;

 private:
  class Exchange final : public Work {
   public:
    Exchange(c10::intrusive_ptr<c10d::Work> work, at::Tensor sent, at::Tensor received, at::Tensor shard)
        : work_(std::move(work)), sent_(std::move(sent)), received_(std::move(received)), shard_(std::move(shard)) {}
    void wait() override {
      if (!work_->wait()) fail(ErrorKind::io, "it was aborted");
      const at::NoGradGuard no_grad;
      const auto parts = received_.view({-1, shard_.numel()});
      const bool narrow = at::isReducedFloatingType(shard_.scalar_type());
      auto sum = narrow ? parts[0].to(at::kFloat) : parts[0].clone();
      for (int64_t r = 1; r < parts.size(0); ++r) sum += parts[r];
      shard_.copy_(sum);
    }

   private:
    c10::intrusive_ptr<c10d::Work> work_;
    at::Tensor sent_, received_, shard_;
  };

  std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) override {
    const at::NoGradGuard no_grad;
    auto sent = all.detach().view({-1}), received = at::empty_like(sent);
    // As bytes: Gloo moves them whatever the dtype.
    auto out = received.view(at::kByte), in = sent.view(at::kByte);
    std::vector<int64_t> even;
    auto work = backend().alltoall_base(out, in, even, even);
    return std::make_unique<Exchange>(std::move(work), std::move(sent), std::move(received), shard.detach().view({-1}));
  }
};

class ConnectedRanks final : public JoinedRanks {
 public:
  ConnectedRanks(RankFacts facts, const Identity& identity, const JoinOptions& options)
      : facts_(std::move(facts)), store_(open_store(facts_, options.start_timeout)) {
    disable_flight_recorder();
    C10dStore texts(store_);
    introduce(texts, facts_, identity, process_name(), options.start_timeout);
    if (options.make_communicator) {
      communicator_ = options.make_communicator(*store_);
      return;
    }
    auto gloo = c10d::ProcessGroupGloo::Options::create(options.collective_timeout);
    gloo->devices.push_back(device(facts_, options));
    // The connections are made here, within the store's timeout.
    communicator_ = std::make_unique<GlooCommunicator>(c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", store_), facts_.rank, facts_.world_size, gloo));
  }

  Communicator& communicator() override { return *communicator_; }
  std::unique_ptr<Blackboard> blackboard() override { return open_blackboard(facts_, store_); }

 private:
  RankFacts facts_;
  c10::intrusive_ptr<c10d::Store> store_;  // outlives the communicator
  std::unique_ptr<Communicator> communicator_;
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
    return std::make_unique<ConnectedRanks>(facts, identity, options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    fail(ErrorKind::io, "rank {} of {}: cannot connect to the other ranks: {}", facts.rank, facts.world_size,
         text.substr(0, text.find('\n')));
  }
}

}  // namespace laconic::distributed

#include "laconic/core/checkpoint/writer.h"

#include <ATen/ATen.h>

#include <chrono>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"

namespace laconic::checkpoint {
namespace {

// Copies the values into the memory of the last copy, where that is of the same kind.
void copy_values(const NamedTensors& from, NamedTensors& to) {
  const at::NoGradGuard no_grad;
  to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const auto& source = from[i].second;
    auto& [name, copy] = to[i];
    name = from[i].first;
    if (!copy.defined() || copy.sizes() != source.sizes() || copy.scalar_type() != source.scalar_type())
      copy = at::empty(source.sizes(), source.options().device(at::kCPU).requires_grad(false));
    copy.copy_(source);
  }
}

}  // namespace

Writer::Writer(Store store, WriterOptions options) : store_(std::move(store)), options_(options) {}

Writer::~Writer() {
  if (!in_flight_) return;
  try {
    in_flight_->written.get();
  } catch (const std::exception& error) {
    log_warning("{}", error.what());
  }
}

void Writer::save(const Position& position, Content content, Store::BeforeManifest before_manifest) {
  finish();
  if (options_.asynchronous) {
    copy_values(content.weights, weights_);
    copy_values(content.optimizer, optimizer_);
    content.weights = weights_;
    content.optimizer = optimizer_;
  }
  const auto how = options_.asynchronous ? std::launch::async : std::launch::deferred;
  in_flight_ = InFlight{
      position, std::async(how, [this, position, content = std::move(content), before = std::move(before_manifest)] {
        return store_.save(position, content, before);
      })};
  if (!options_.asynchronous) finish();
}

void Writer::poll() {
  if (in_flight_ && in_flight_->written.wait_for(std::chrono::seconds(0)) == std::future_status::ready) finish();
}

void Writer::finish() {
  if (in_flight_) tell(*std::exchange(in_flight_, std::nullopt));
}

void Writer::tell(InFlight done) {
  try {
    const auto folder = done.written.get();
    newest_ = done.position;
    log_info("checkpoint {}", folder.string());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::io || options_.on_error == OnError::fail) throw;
    ++failures_;
    log_warning("{}; the run goes on without it ({} so far), as checkpoint.on_error says", error.what(), failures_);
  }
}

}  // namespace laconic::checkpoint

#include "laconic/core/checkpoint/writer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/log.h"

namespace laconic::checkpoint {
namespace {

using nlohmann::json;

// Copies the values into the memory of the last copy, where that is of the same kind.
void copy_values(const optim::TensorParts& from, optim::TensorParts& to) {
  const at::NoGradGuard no_grad;
  optim::TensorParts copies;
  copies.reserve(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    auto copy = from[i];
    const auto& source = from[i].values;
    const bool fits =
        i < to.size() && to[i].values.sizes() == source.sizes() && to[i].values.scalar_type() == source.scalar_type();
    copy.values =
        fits ? to[i].values : at::empty(source.sizes(), source.options().device(at::kCPU).requires_grad(false));
    copy.values.copy_(source);
    copies.push_back(std::move(copy));
  }
  to = std::move(copies);
}

}  // namespace

Writer::Writer(Store store, WriterOptions options, Company company)
    : store_(std::move(store)), options_(options), company_(std::move(company)) {
  LACONIC_CHECK(!options_.divided || company_.ranks > 1, "one rank has nobody to share a checkpoint with");
}

Writer::~Writer() {
  if (!in_flight_) return;
  const auto outcome = in_flight_->written.get();
  if (outcome.error) log_warning("{}", outcome.error->what());
}

Writer::Outcome Writer::attempt(const std::function<void(Outcome&)>& body) {
  Outcome outcome;
  try {
    body(outcome);
  } catch (const Error& error) {
    outcome.error = error;
  } catch (const std::exception& error) {
    outcome.error = Error(ErrorKind::internal, error.what());
  }
  return outcome;
}

void Writer::keep_copies(Content& content) {
  copy_values(content.weights, weights_);
  copy_values(content.optimizer, optimizer_);
  content.weights = weights_;
  content.optimizer = optimizer_;
}

// This rank's share, or everything.
Writer::Outcome Writer::write(const Position& position, const Content& content,
                              const Store::BeforeManifest& before_manifest) {
  return attempt([&](Outcome& outcome) {
    if (options_.divided) {
      outcome.files = store_.write_share(position, {company_.rank, company_.ranks}, content, before_manifest);
    } else if (writes()) {
      outcome.folder = store_.save(position, content, before_manifest);
    }
  });
}

// What the ranks' outcomes are together.
Writer::Outcome Writer::agree(const Outcome& mine) const {
  if (company_.ranks == 1) return mine;
  json message = {{"files", mine.files}, {"folder", mine.folder.string()}};
  if (mine.error) message["error"] = {static_cast<int>(mine.error->kind()), mine.error->what()};
  Outcome all;
  all.files = json::object();
  std::string reasons;
  bool refused = true;  // by the system, and nothing else
  int rank = 0;
  for (const auto& text : company_.exchange(message.dump(-1, ' ', false, json::error_handler_t::replace))) {
    const auto theirs = json::parse(text);
    if (!theirs.at("files").is_null()) all.files.update(theirs.at("files"));
    if (rank == 0) all.folder = theirs.at("folder").get<std::string>();
    if (theirs.contains("error")) {
      refused &= theirs.at("error").at(0) == static_cast<int>(ErrorKind::io);
      reasons +=
          fmt::format("{}rank {}: {}", reasons.empty() ? "" : "; ", rank, theirs.at("error").at(1).get<std::string>());
    }
    ++rank;
  }
  if (!reasons.empty()) all.error = Error(refused ? ErrorKind::io : ErrorKind::internal, reasons);
  return all;
}

void Writer::save(const Position& position, Content content, Store::BeforeManifest before_manifest) {
  finish();
  if (options_.divided) {
    const auto begun = agree(attempt([&](Outcome&) {
      if (company_.rank == 0) store_.begin(position);
    }));
    if (begun.error) return tell(position, begun);
  }
  const bool behind = options_.asynchronous && writes();
  if (behind) keep_copies(content);
  InFlight flight{position, content.evaluation, {}};
  auto job = [this, position, content = std::move(content), before = std::move(before_manifest)] {
    return write(position, content, before);
  };
  if (behind) {
    flight.written = std::async(std::launch::async, std::move(job));
  } else {
    std::promise<Outcome> done;
    done.set_value(job());
    flight.written = done.get_future();
  }
  in_flight_ = std::move(flight);
  if (!options_.asynchronous) finish();
}

void Writer::poll() {
  if (!in_flight_) return;
  bool known = in_flight_->written.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (company_.ranks > 1) {
    const auto all = company_.exchange(known ? "known" : "");
    known = std::none_of(all.begin(), all.end(), [](const auto& theirs) { return theirs.empty(); });
  }
  if (known) finish();
}

void Writer::finish() {
  if (!in_flight_) return;
  auto done = std::move(*std::exchange(in_flight_, std::nullopt));
  const auto outcome = complete(done);
  tell(done.position, outcome);
}

// Waits for every rank's share, of which rank 0 makes a checkpoint.
Writer::Outcome Writer::complete(InFlight& done) {
  auto shares = agree(done.written.get());
  if (!options_.divided) return shares;
  auto committed = agree(attempt([&](Outcome& outcome) {
    if (company_.rank == 0 && !shares.error)
      outcome.folder = store_.commit(done.position, done.evaluation, company_.ranks, shares.files);
  }));
  if (!shares.error && !committed.error) return committed;
  if (company_.rank == 0) store_.abandon(done.position);
  return shares.error ? shares : committed;
}

void Writer::tell(const Position& position, const Outcome& outcome) {
  if (!outcome.error) {
    newest_ = position;
    log_info("checkpoint {}", outcome.folder.string());
    return;
  }
  if (outcome.error->kind() != ErrorKind::io || options_.on_error == OnError::fail) throw *outcome.error;
  ++failures_;
  if (company_.rank > 0) return;  // once is enough
  log_warning("{}; the run goes on without it ({} so far), as checkpoint.on_error says", outcome.error->what(),
              failures_);
}

}  // namespace laconic::checkpoint

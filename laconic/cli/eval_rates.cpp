#include "laconic/cli/eval_rates.h"

#include "laconic/core/base/error.h"
#include "laconic/core/data/records.h"
#include "laconic/core/data/text_hash.h"

namespace laconic::cli {
namespace {

[[noreturn]] void not_an_evaluation(const std::string& place, const char* what) {
  fail(ErrorKind::usage, "--pass-rates {}: expected the eval.jsonl of `laconic eval`, found {}", place, what);
}

}  // namespace

EvalRates::EvalRates(const std::filesystem::path& file) : file_(file.string()) {
  bool header = true;
  data::read_records(file, "jsonl", {}, [&](data::Record&& record) {
    if (!record.reason.empty()) not_an_evaluation(record.source, "a malformed line");
    const auto& row = record.value;
    if (header) {
      if (!row.contains("evaluation")) not_an_evaluation(file_, "another first line");
      header = false;
      return true;
    }
    const auto id = row.find("id"), gold = row.find("gold"), rate = row.find("pass_rate");
    const bool good = id != row.end() && id->is_string() && gold != row.end() && gold->is_string() &&
                      rate != row.end() && rate->is_number();
    if (!good) not_an_evaluation(record.source, "a line without id, gold and pass_rate");
    const Rate value{data::text_hash(gold->get<std::string>()), rate->get<double>()};
    if (!rates_.emplace(data::text_hash(id->get<std::string>()), value).second)
      fail(ErrorKind::usage, "--pass-rates {}: the id `{}` stands there twice", record.source, id->get<std::string>());
    return true;
  });
}

std::optional<double> EvalRates::of(const data::Example& example) const {
  const auto found = rates_.find(data::text_hash(example.id));
  if (found == rates_.end()) return std::nullopt;
  if (found->second.gold != data::text_hash(example.answer)) {
    fail(ErrorKind::input,
         "{}: the example `{}` has another answer in {}: the evaluation is of other data, or read its columns "
         "differently",
         example.source, example.id, file_);
  }
  return found->second.rate;
}

}  // namespace laconic::cli

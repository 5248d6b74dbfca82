// One record to one example, by the columns that the options name.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "laconic/core/data/columns.h"
#include "laconic/core/data/dataset.h"
#include "laconic/core/data/records.h"

namespace laconic::data {

class ExampleReader {
 public:
  // `label`: what ids begin with where the records have none. Unusable options are Errors of kind usage.
  ExampleReader(const DatasetOptions& options, std::string label);

  // Example number `index` of the file, counted over all records. What the record lacks is thrown as a BrokenRecord.
  Example read(Record&& record, size_t index) const;

  const std::string& format() const { return format_; }  // never auto
  // For formats that know their columns ahead: which of `found`, the file's, are read. One that is missing and needed
  // is an Error of kind input that lists what there is.
  std::vector<std::string> columns_of(const std::vector<std::string>& found) const;

 private:
  // The names of the columns in the order of their use, needed and optional ones.
  std::vector<ColumnNames> needed() const;

  std::string user_text(const nlohmann::ordered_json& record, Example& example) const;
  void read_prompt(const nlohmann::ordered_json& record, Example& example) const;
  void read_answer(const nlohmann::ordered_json& record, Example& example) const;

  DatasetOptions options_;
  ColumnNames prompt_, answer_, solution_, id_, wrong_;
  std::string form_;
  std::vector<std::pair<std::string, ColumnNames>> answer_parts_;  // of a preset; then answer_ is in the form alone
  AnswerFrom answer_from_ = AnswerFrom::whole;
  std::string format_;
  std::string label_;
};

}  // namespace laconic::data

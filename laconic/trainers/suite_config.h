// What `laconic suite` is told beside the configurations that it compares: the section `suite` of a file of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/config/visitor.h"

namespace laconic::trainers {

struct SuiteSection {
  std::string title = "Suite";
  std::string about;                           // a sentence or two under the title of the page
  std::vector<std::string> order;              // of the methods in tables; the first is what others are compared with
  std::map<std::string, double> base_targets;  // base -> held-out accuracy from which on its training is over
  double base_growth = 1.25;                   // each attempt of a base trains so much longer than the one before
  int base_attempts = 5;
  int problems = 200;          // chain: held-out problems of each grade for the figures of the table
  int samples = 1;             // per problem
  int pass_rate_samples = 16;  // per training prompt, for objectives that need reference pass rates
  void visit(config::Visitor& v);
};

struct SuiteConfig {
  SuiteSection suite;
  void visit(config::Visitor& v);
};

}  // namespace laconic::trainers

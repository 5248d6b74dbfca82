#include "laconic/trainers/suite_config.h"

namespace laconic::trainers {

void SuiteSection::visit(config::Visitor& v) {
  v.field("title", title, {.help = "of the page"});
  v.field("about", about, {.help = "a sentence or two under the title"});
  v.field("order", order,
          {.help = "methods (names of their files) in the order of the tables, the first being the one that others are "
                   "compared with; those left out follow in the order of the command line"});
  v.field("base_targets", base_targets,
          {.help = "base (name of its file) -> accuracy on the held-out problems; its training is over when it is "
                   "reached, else it begins anew and longer",
           .min = 0.0,
           .max = 1.0});
  v.field("base_growth", base_growth, {.help = "how much longer each attempt of a base trains", .min = 1.0});
  v.field("base_attempts", base_attempts,
          {.help = "attempts before a base counts as failed", .min = 1.0, .max = 100.0});
  v.field("problems", problems, {.help = "chain: held-out problems of each grade for the final figures", .min = 1.0});
  v.field("samples", samples, {.help = "samples of each held-out problem for the final figures", .min = 1.0});
  v.field("pass_rate_samples", pass_rate_samples,
          {.help = "samples of each training prompt where an objective needs reference pass rates", .min = 1.0});
}

void SuiteConfig::visit(config::Visitor& v) {
  v.section("suite", suite, "a comparison of methods");
}

}  // namespace laconic::trainers

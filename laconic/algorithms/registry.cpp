#include "laconic/algorithms/registry.h"

#include <algorithm>
#include <utility>

#include "laconic/algorithms/adapt_think.h"
#include "laconic/algorithms/grpo.h"
#include "laconic/algorithms/grpo_lambda.h"
#include "laconic/algorithms/laser.h"
#include "laconic/algorithms/length_baselines.h"
#include "laconic/algorithms/pear.h"
#include "laconic/algorithms/s_grpo.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::algorithms {
namespace {

// The registry is filled at start-up by explicit calls and only read afterwards.
std::vector<Method>& methods() {
  static std::vector<Method> instance;
  return instance;
}

}  // namespace

void register_method(Method method) {
  register_builtin_methods();
  for (const auto& known : methods()) {
    if (known.name == method.name) fail(ErrorKind::usage, "an objective named `{}` is registered already", method.name);
  }
  methods().push_back(std::move(method));
}

void register_builtin_methods() {
  if (!methods().empty()) return;
  methods() = {grpo_method(),           s_grpo_method(),      grpo_lambda_method(),
               length_penalty_method(), laser_method(),       laser_d_method(),
               laser_de_method(),       adapt_think_method(), pear_method()};
  for (auto& baseline : length_baseline_methods()) methods().push_back(std::move(baseline));
}

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const auto& method : methods()) names.push_back(method.name);
  return names;
}

const Method& find_method(const std::string& name) {
  for (const auto& method : methods()) {
    if (method.name == name) return method;
  }
  fail(ErrorKind::usage, "unknown objective `{}`{}; known: {}", name, did_you_mean(name, objective_names()),
       join(objective_names(), ", "));
}

ObjectiveSection::ObjectiveSection(const ObjectiveSection& other)
    : common(other.common), own(other.own ? other.own->clone() : nullptr) {}

ObjectiveSection& ObjectiveSection::operator=(const ObjectiveSection& other) {
  common = other.common;
  own = other.own ? other.own->clone() : nullptr;
  return *this;
}

void ObjectiveSection::visit(config::Visitor& v) {
  register_builtin_methods();
  v.choice("name", common.name, objective_names(), {.help = "the method"});
  const auto names = objective_names();
  const bool known = std::find(names.begin(), names.end(), common.name) != names.end();
  if (known && v.reading()) {
    const Method& method = find_method(common.name);
    if (method.defaults) method.defaults(common);
    own = method.make_config ? method.make_config() : nullptr;
  }
  common.visit(v);
  if (v.describing()) {  // the fields of every method, whichever is chosen
    for (const auto& method : methods()) {
      const auto config = method.make_config ? method.make_config() : nullptr;
      if (!config) continue;
      if (const auto block = v.when(true, "name: " + method.name)) v.section(method.name, *config, method.help);
    }
  } else if (own) {
    v.section(common.name, *own, known ? find_method(common.name).help : "");
    own->check(v, common);
  }
}

std::unique_ptr<Objective> ObjectiveSection::make() const {
  return find_method(common.name).make(common, own.get());
}

}  // namespace laconic::algorithms

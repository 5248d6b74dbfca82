// Objectives by name. Explicit: nothing registers itself behind the reader's back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

// A method's own part of the `objective` section (a sub-section of the method's name).
class MethodConfig {
 public:
  virtual ~MethodConfig() = default;
  virtual void visit(config::Visitor& v) = 0;
  // Contradictions with the common fields, by v.check(); names are those of the `objective` section ("filter.keep").
  virtual void check(config::Visitor& /*v*/, const ObjectiveConfig& /*common*/) const {}
  virtual std::unique_ptr<MethodConfig> clone() const = 0;
};

// Supplies clone() of a copyable config: struct MyConfig : OwnConfig<MyConfig> { ... }.
template <typename Config>
class OwnConfig : public MethodConfig {
 public:
  std::unique_ptr<MethodConfig> clone() const override {
    return std::make_unique<Config>(static_cast<const Config&>(*this));
  }
};

struct Method {
  std::string name;
  std::string help;
  // Common fields the method changes from their defaults, before the file is read; may be empty.
  std::function<void(ObjectiveConfig&)> defaults;
  // Empty when the method has no fields of its own.
  std::function<std::unique_ptr<MethodConfig>()> make_config;
  std::function<std::unique_ptr<Objective>(const ObjectiveConfig&, const MethodConfig*)> make;
};

// Adds a method to those that laconic ships; a name that is taken is an error. Call before reading configurations, from
// one thread.
void register_method(Method method);

// A method whose objective is made from (common fields, own config).
template <typename MethodObjective, typename Config>
Method method_of(std::string name, std::string help, std::function<void(ObjectiveConfig&)> defaults);

// Adds the methods that laconic ships; later calls do nothing.
void register_builtin_methods();

const Method& find_method(const std::string& name);  // an unknown name is an error with the nearest one
std::vector<std::string> objective_names();

// The whole `objective` section: the common fields and the chosen method's own.
struct ObjectiveSection {
  ObjectiveConfig common;
  std::unique_ptr<MethodConfig> own;

  ObjectiveSection() = default;
  ObjectiveSection(const ObjectiveSection& other);
  ObjectiveSection& operator=(const ObjectiveSection& other);
  void visit(config::Visitor& v);
  std::unique_ptr<Objective> make() const;
};

template <typename MethodObjective, typename Config>
Method method_of(std::string name, std::string help, std::function<void(ObjectiveConfig&)> defaults) {
  return {std::move(name), std::move(help), std::move(defaults), [] { return std::make_unique<Config>(); },
          [](const ObjectiveConfig& common, const MethodConfig* own) {
            return std::make_unique<MethodObjective>(common, dynamic_cast<const Config&>(*own));
          }};
}

}  // namespace laconic::algorithms

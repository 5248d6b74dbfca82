// Objectives by name. Explicit: nothing registers itself behind the reader's back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

// A method's own part of the `objective` section (a sub-section of the method's name).
class MethodConfig {
 public:
  virtual ~MethodConfig() = default;
  virtual void visit(config::Visitor& v) = 0;
  virtual std::unique_ptr<MethodConfig> clone() const = 0;
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

// Adds a method; a name that is taken is an error. Call before reading configurations, from one thread.
void register_method(Method method);
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

}  // namespace laconic::algorithms

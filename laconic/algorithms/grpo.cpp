#include "laconic/algorithms/grpo.h"

namespace laconic::algorithms {

Method grpo_method() {
  Method method;
  method.name = "grpo";
  method.help = "group relative policy optimisation and its published variants";
  method.make = [](const ObjectiveConfig& config, const MethodConfig*) { return std::make_unique<Objective>(config); };
  return method;
}

}  // namespace laconic::algorithms

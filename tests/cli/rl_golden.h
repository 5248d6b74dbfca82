// Published functions of other trainers as steps for `laconic score`.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace laconic::cli {

using Json = nlohmann::ordered_json;

// A call of a published function: of a case, or inside of the value that it expects.
struct Call {
  std::string function;
  Json args = Json::array(), kwargs = Json::object();
  Json constructor_args = Json::array(), constructor_kwargs = Json::object();
  std::string result_path;

  static Call of_case(const Json& published);
  static Call of_expected(const Json& expected);
};

// The steps that compute the call's result, and how it is read off their outputs.
struct Plan {
  std::string skip;  // why laconic has nothing that could be compared; "" where it has
  std::vector<Json> steps;
  std::function<Json(const std::vector<Json>&)> read;
};
Plan plan_of(const Call& call);

// Where laconic decides otherwise on purpose: the reason, or "".
std::string known_difference(const Json& published);

}  // namespace laconic::cli

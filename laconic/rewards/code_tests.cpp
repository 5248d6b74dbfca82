#include "laconic/rewards/code_tests.h"

#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void wrong(const std::string& where, const char* expected, const Json& found) {
  constexpr size_t kShown = 80;
  fail(ErrorKind::input, "the tests in the gold field: {}: expected {}, found {}", where.empty() ? "all" : where,
       expected, found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kShown));
}

// A text, or lines of one.
std::string text_of(const Json& value, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) wrong(where, "a text or a list of lines", value);
  std::string text;
  for (const auto& line : value) {
    if (!line.is_string()) wrong(where, "a list of lines", value);
    text += line.get<std::string>() + "\n";
  }
  return text;
}

// A Python string literal: JSON's escapes are Python's.
std::string python_literal(const Json& value) {
  return Json(value.dump(-1, ' ', /*ensure_ascii=*/true)).dump();
}

// The arguments and the result of one call.
CodeTest call_test(const std::string& function, const Json& arguments, const Json& result) {
  CodeTest test;
  test.check = fmt::format(
      "import json as _json\n_call = getattr(Solution(), '{0}') if 'Solution' in globals() else {0}\n"
      "_got, _want = _call(*_json.loads({1})), _json.loads({2})\n_got = _json.loads(_json.dumps(_got))\n"
      "assert _got == _want, f'{{_got!r}} is not {{_want!r}}'\n",
      function, python_literal(arguments), python_literal(result));
  return test;
}

void add_pairs(const Json& gold, CodeTests& tests) {
  const Json &inputs = gold.at("inputs"), &outputs = gold.value("outputs", Json());
  if (!inputs.is_array()) wrong("inputs", "a list", inputs);
  if (!outputs.is_array() || outputs.size() != inputs.size()) wrong("outputs", "a list as long as inputs", outputs);
  const Json function = gold.value("fn_name", Json());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string place = "[" + std::to_string(i) + "]";
    if (function.is_null()) {
      tests.tests.push_back({"", text_of(inputs[i], "inputs" + place), text_of(outputs[i], "outputs" + place)});
    } else {
      if (!function.is_string()) wrong("fn_name", "the name of a function", function);
      if (!inputs[i].is_array()) wrong("inputs" + place, "a list of arguments", inputs[i]);
      tests.tests.push_back(call_test(function, inputs[i], outputs[i]));
      tests.language = Language::python;
    }
  }
}

void add_list(const Json& list, const std::string& where, CodeTests& tests) {
  if (!list.is_array()) wrong(where, "a list of tests", list);
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& test = list[i];
    const std::string place = where + "[" + std::to_string(i) + "]";
    if (test.is_string()) {
      if (trim(test.get_ref<const std::string&>()).empty()) wrong(place, "statements", test);
      tests.tests.push_back({test.get<std::string>(), "", ""});
    } else if (test.is_object() && test.contains("output")) {
      tests.tests.push_back({"", text_of(test.value("input", Json("")), place + ".input"),
                             text_of(test.at("output"), place + ".output")});
    } else {
      wrong(place, "statements, or an object with input and output", test);
    }
  }
}

void read_object(const Json& gold, CodeTests& tests) {
  if (const Json language = gold.value("language", Json()); !language.is_null()) {
    tests.language = language.is_string() ? language_of(to_lower(language.get<std::string>())) : std::nullopt;
    if (!tests.language) wrong("language", "python or cpp", language);
  }
  if (gold.contains("setup")) tests.setup = text_of(gold.at("setup"), "setup") + "\n";
  if (gold.contains("inputs")) {
    add_pairs(gold, tests);
  } else if (gold.contains("test")) {
    std::string check = text_of(gold.at("test"), "test") + "\n";
    if (gold.contains("entry_point")) check += "check(" + text_of(gold.at("entry_point"), "entry_point") + ")\n";
    tests.tests.push_back({check, "", ""});
  } else if (gold.contains("tests")) {
    add_list(gold.at("tests"), "tests", tests);
  } else {
    wrong("", "one of tests, inputs with outputs, test", gold);
  }
}

}  // namespace

CodeTests parse_code_tests(std::string_view gold) {
  CodeTests tests;
  const auto text = trim(gold);
  const bool json = (text.starts_with('{') || text.starts_with('[')) && json_levels(text) <= kMaxJsonLevels;
  const Json value = json ? Json::parse(text, nullptr, /*allow_exceptions=*/false) : Json();
  if (value.is_object()) {
    read_object(value, tests);
  } else if (value.is_array()) {
    add_list(value, "", tests);
  } else if (!text.empty()) {
    tests.tests.push_back({std::string(text), "", ""});
  }
  if (tests.tests.empty()) fail(ErrorKind::input, "the gold field holds no tests");
  for (const auto& test : tests.tests) {
    if (test.by_output() != tests.tests.front().by_output())
      fail(ErrorKind::input, "the gold field mixes tests by statements and tests by input and output");
  }
  // Statements are Python's, unless it is said.
  if (!tests.language && !tests.tests.front().by_output()) tests.language = Language::python;
  return tests;
}

}  // namespace laconic::rewards

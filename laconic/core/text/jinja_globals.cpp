// The functions that every template can call.
#include <array>
#include <ctime>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_print.h"

namespace laconic::text::jinja {

namespace {

Value range(Interpreter&, const Arguments& arguments) {
  constexpr int64_t kMaxRange = 100'000;  // the sandbox's own limit
  constexpr int64_t kFar = int64_t{1} << 40;
  const auto given = Parameters::positional(arguments, "range", 3, 1);
  const bool only_stop = given.get(1) == nullptr;
  const int64_t start = only_stop ? 0 : given.integer(0, 0);
  const int64_t stop = given.integer(only_stop ? 0 : 1, 0);
  const int64_t step = given.integer(2, 1);
  if (step == 0) template_error("range() arg 3 must not be zero");
  for (const int64_t number : {start, stop, step}) {
    if (number > kFar || number < -kFar) not_supported("a range with bounds beyond 2^40");
  }
  const int64_t distance = step > 0 ? stop - start : start - stop;
  const int64_t count = distance <= 0 ? 0 : (distance - 1) / (step > 0 ? step : -step) + 1;
  if (count > kMaxRange) template_error("Range too big: ranges may not be larger than {}", kMaxRange);
  return Value::object(std::make_shared<Range>(start, stop, step, count));
}

// dict(pairs or mapping, key=value, ...)
Dict make_dict(Interpreter& interpreter, const Arguments& arguments) {
  if (arguments.positional.size() > 1) {
    template_error("dict expected at most 1 argument, got {}", arguments.positional.size());
  }
  Dict dict;
  if (!arguments.positional.empty()) {
    const Value& from = arguments.positional[0];
    if (from.is_undefined()) template_error("{}", from.undefined_message());
    if (from.is(Kind::dict)) {
      dict = from.as_dict();
      interpreter.budget().spend(dict.size());
    } else {
      for (const Value& pair : to_list(from, interpreter.budget())) {
        const List parts = to_list(pair, interpreter.budget());
        if (parts.size() != 2)
          template_error("dictionary update sequence element has length {}; 2 is required", parts.size());
        dict.set(parts[0], parts[1]);
      }
    }
  }
  for (const auto& [name, value] : arguments.named) dict.set(name, value);
  return dict;
}

Value dict_function(Interpreter& interpreter, const Arguments& arguments) {
  return Value::dict(make_dict(interpreter, arguments));
}

Value namespace_function(Interpreter& interpreter, const Arguments& arguments) {
  auto object = std::make_shared<Namespace>(make_dict(interpreter, arguments));
  interpreter.keep(object);
  interpreter.budget().spend(1);
  return Value::object(std::move(object));
}

Value raise_exception(Interpreter& interpreter, const Arguments& arguments) {
  const Parameters given(arguments, "raise_exception", {"message"}, 1);
  template_error("{}", to_text(given.at(0), interpreter.budget()));
}

Value strftime_now(Interpreter& interpreter, const Arguments& arguments) {
  const Parameters given(arguments, "strftime_now", {"format"}, 1);
  const std::string& format = given.text(0);
  if (format.size() > 1000) template_error("the format of strftime_now is too long");
  const std::time_t now = interpreter.now();
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 20'000> buffer{};
  // A space in front tells an empty result from one that does not fit.
  const size_t size = std::strftime(buffer.data(), buffer.size(), (" " + format).c_str(), &local);
  if (size == 0) template_error("the format of strftime_now gives too long a text");
  return Value::string(std::string(buffer.data() + 1, size - 1));
}

}  // namespace

std::optional<Value> find_global(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Value (*)(Interpreter&, const Arguments&)>, 5> kFunctions = {
      {{"range", range},
       {"dict", dict_function},
       {"namespace", namespace_function},
       {"raise_exception", raise_exception},
       {"strftime_now", strftime_now}}};
  for (const auto& [known, function] : kFunctions) {
    if (known == name) return Value::object(std::make_shared<Function>(std::string(name), function, 0));
  }
  for (const std::string_view known : {"cycler", "joiner", "lipsum"}) {
    if (known != name) continue;
    auto body = [known](Interpreter&, const Arguments&) -> Value { not_supported("the function `{}`", known); };
    return Value::object(std::make_shared<Function>(std::string(name), std::move(body), 0));
  }
  return std::nullopt;
}

}  // namespace laconic::text::jinja

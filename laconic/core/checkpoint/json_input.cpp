#include "laconic/core/checkpoint/json_input.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::checkpoint {
namespace {

using nlohmann::json;

[[noreturn]] void fail_nested(const char* file) {
  fail(ErrorKind::input, "its {} is nested more than {} levels deep", file, kMaxJsonLevels);
}

// Goes through a text without keeping anything of it.
class Levels final : public json::json_sax_t {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool key(string_t& /*value*/) override { return true; }
  bool start_object(size_t /*elements*/) override { return enter(); }
  bool start_array(size_t /*elements*/) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  // Told by who makes the tree.
  bool parse_error(size_t /*position*/, const std::string& /*token*/, const json::exception& /*error*/) override {
    return false;
  }

  bool too_many() const { return now_ > kMaxJsonLevels; }

 private:
  bool enter() {
    ++now_;
    return !too_many();
  }
  bool leave() {
    --now_;
    return true;
  }
  size_t now_ = 0;
};

// Values are not quoted where they may be long.
std::string found_text(const json& value) {
  return value.is_number() || value.is_boolean() ? value.dump() : value.type_name();
}

}  // namespace

json parse_json(const char* file, const std::string& text) {
  if (json_levels(text) > kMaxJsonLevels) fail_nested(file);
  return json::parse(text);
}

json parse_cbor(const char* file, const std::string& bytes) {
  Levels levels;
  json::sax_parse(bytes, &levels, json::input_format_t::cbor);
  if (levels.too_many()) fail_nested(file);
  return json::from_cbor(bytes);
}

int64_t whole_number(const char* file, const json& from, const char* key, int64_t least, int64_t most) {
  const json& value = from.at(key);
  const bool beyond = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (!value.is_number_integer() || beyond || value.get<int64_t>() < least || value.get<int64_t>() > most) {
    fail(ErrorKind::input, "its {} has {}: {}, expected a whole number from {} to {}", file, key, found_text(value),
         least, most);
  }
  return value.get<int64_t>();
}

}  // namespace laconic::checkpoint

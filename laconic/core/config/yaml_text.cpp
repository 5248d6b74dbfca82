#include "laconic/core/config/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "laconic/core/base/strings.h"

namespace laconic::config {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A word that no reader of YAML takes for anything but a string.
bool is_plain(std::string_view text) {
  if (text.empty() || !(is_letter(text.front()) || text.front() == '_' || text.front() == '/')) return false;
  const bool plain_characters = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
  if (!plain_characters) return false;
  const std::string lower = to_lower(text);
  for (const char* word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (lower == word) return false;
  }
  return true;
}

// The escape of the character that begins at `text`, with its length in bytes; length 0 when it stands as it is.
// Besides quotes and ASCII controls these are the characters that YAML 1.1 takes for line ends or refuses.
struct Escape {
  std::string text = {};
  size_t length = 0;
};

Escape escape_of(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  switch (text.front()) {
    case '"':
      return {"\\\"", 1};
    case '\\':
      return {"\\\\", 1};
    case '\n':
      return {"\\n", 1};
    case '\t':
      return {"\\t", 1};
    case '\r':
      return {"\\r", 1};
    default:
      break;
  }
  if (byte(0) < 0x20 || byte(0) == 0x7F) return {fmt::format("\\x{:02x}", byte(0)), 1};
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return {fmt::format("\\x{:02x}", byte(1)), 2};  // C1 controls
  if (text.starts_with("\xE2\x80\xA8")) return {"\\u2028", 3};
  if (text.starts_with("\xE2\x80\xA9")) return {"\\u2029", 3};
  if (text.starts_with("\xEF\xBB\xBF")) return {"\\ufeff", 3};
  return {};
}

std::string string_yaml(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  while (!text.empty()) {
    const Escape escape = escape_of(text);
    if (escape.length == 0)
      quoted += text.front();
    else
      quoted += escape.text;
    text.remove_prefix(std::max<size_t>(escape.length, 1));
  }
  return quoted + "\"";
}

std::string number_yaml(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string text = fmt::format("{}", value);
  if (text.find('.') != std::string::npos) return text;
  const size_t exponent = text.find('e');
  return exponent == std::string::npos ? text + ".0" : text.insert(exponent, ".0");
}

void append_block(std::string& out, const Json& mapping, int indentation) {
  for (const auto& [key, value] : mapping.items()) {
    out += fmt::format("{:{}}{}:", "", indentation, string_yaml(key));
    if (value.is_object() && !value.empty()) {
      out += "\n";
      append_block(out, value, indentation + 2);
    } else {
      out += fmt::format(" {}\n", flow_yaml(value));
    }
  }
}

}  // namespace

std::string flow_yaml(const Json& value) {
  if (value.is_string()) return string_yaml(value.get_ref<const std::string&>());
  if (value.is_number_float()) return number_yaml(value.get<double>());
  if (!value.is_structured()) return value.dump();  // null, booleans, integers
  std::string text;
  for (const auto& [key, item] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += string_yaml(key) + ": ";
    text += flow_yaml(item);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

std::string block_yaml(const Json& mapping) {
  if (mapping.empty()) return "{}\n";
  std::string out;
  append_block(out, mapping, 0);
  return out;
}

}  // namespace laconic::config

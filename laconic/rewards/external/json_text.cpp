#include "laconic/rewards/external/json_text.h"

#include "laconic/core/base/strings.h"

namespace laconic::rewards {

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json parse_object(std::string_view line) {
  if (json_levels(line) > kMaxJsonLevels) return nullptr;
  Json value = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : Json(nullptr);
}

Json completion_json(const Batch& batch, const BatchSample& sample) {
  if (!batch.conversation) return sample.completion;
  return Json::array({{{"role", "assistant"}, {"content", sample.completion}}});
}

}  // namespace laconic::rewards

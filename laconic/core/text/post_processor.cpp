#include "laconic/core/text/post_processor.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace laconic::text {

namespace {

int32_t token_id(const Node& node) {
  const int64_t id = node.as_integer();
  if (id < 0 || id > std::numeric_limits<int32_t>::max()) node.invalid("a token id");
  return static_cast<int32_t>(id);
}

void add_template(const Node& node, PostProcessor& out) {
  node.only({"single", "pair", "special_tokens"});  // pairs of texts are never encoded
  PostProcessor added;
  bool behind = false;
  for (const Node& piece : node.list("single")) {
    if (piece.has("Sequence")) {
      if (behind || piece.child("Sequence").text("id") != "A") piece.unsupported("a template with more than one text");
      behind = true;
      continue;
    }
    const Node special = piece.child("SpecialToken");
    const Node known = node.child("special_tokens").child(special.text("id"));
    auto& side = behind ? added.suffix : added.prefix;
    for (const Node& id : known.list("ids")) side.push_back(token_id(id));
  }
  if (!behind) node.child("single").invalid("a template that holds the text");
  out.prefix.insert(out.prefix.begin(), added.prefix.begin(), added.prefix.end());
  out.suffix.insert(out.suffix.end(), added.suffix.begin(), added.suffix.end());
}

void add(const Node& node, PostProcessor& out) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    node.only({"processors"});
    for (const Node& step : node.list("processors")) add(step, out);
  } else if (type == "TemplateProcessing") {
    add_template(node, out);
  } else if (type == "ByteLevel") {
    node.only({"add_prefix_space", "trim_offsets", "use_regex"});
  } else {
    node.unsupported("the post-processor `" + type + "`");
  }
}

}  // namespace

PostProcessor make_post_processor(const Node& node) {
  PostProcessor out;
  if (!node.is_null()) add(node, out);
  return out;
}

}  // namespace laconic::text

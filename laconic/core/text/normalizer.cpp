#include "laconic/core/text/normalizer.h"

#include <utility>
#include <vector>

#include "laconic/core/text/pattern.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text {

namespace {

class Identity : public Normalizer {
 public:
  std::string apply(std::string text) const override { return text; }
};

class Form : public Normalizer {
 public:
  explicit Form(NormalForm form) : form_(form) {}
  std::string apply(std::string text) const override { return normalize(text, form_); }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  std::string apply(std::string text) const override { return lowercase(text); }
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string apply(std::string text) const override { return text.empty() ? text : prefix_ + text; }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  std::string apply(std::string text) const override { return replace_all(text, pattern_, content_); }

 private:
  Regex pattern_;
  std::string content_;
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  std::string apply(std::string text) const override {
    size_t begin = 0;
    size_t end = text.size();
    while (left_ && begin < end && is_whitespace(code_point_at(text, begin))) begin += utf8_length(text[begin]);
    while (right_ && end > begin) {
      const size_t last = previous_boundary(text, end);
      if (!is_whitespace(code_point_at(text, last))) break;
      end = last;
    }
    return text.substr(begin, end - begin);
  }

 private:
  bool left_;
  bool right_;
};

class Sequence : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  std::string apply(std::string text) const override {
    for (const auto& step : steps_) text = step->apply(std::move(text));
    return text;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Node& node) {
  if (node.is_null()) return std::make_unique<Identity>();
  const std::string type = node.text("type");
  if (type == "Sequence") {
    node.only({"normalizers"});
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const Node& step : node.list("normalizers")) steps.push_back(make_normalizer(step));
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "Prepend") {
    node.only({"prepend"});
    return std::make_unique<Prepend>(node.text("prepend"));
  }
  if (type == "Replace") {
    node.only({"pattern", "content"});
    return std::make_unique<Replace>(make_pattern(node.child("pattern")), node.text("content"));
  }
  if (type == "Strip") {
    node.only({"strip_left", "strip_right"});
    return std::make_unique<Strip>(node.flag("strip_left", true), node.flag("strip_right", true));
  }
  node.only({});
  if (type == "NFC") return std::make_unique<Form>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<Form>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<Form>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<Form>(NormalForm::nfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  node.unsupported("the normalizer `" + type + "`");
}

}  // namespace laconic::text

// laconic render: conversations to the text that a model is given.
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/files.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/core/text/tokenizer.h"

namespace laconic::cli {
namespace {

using text::ChatTemplate;

// Templates of a folder by their names in the lines, each parsed once. Thread-safe.
class TemplateFolder {
 public:
  TemplateFolder(std::filesystem::path folder, std::optional<std::time_t> now)
      : folder_(std::move(folder)), now_(now) {}

  ChatTemplate get(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto found = parsed_.find(name); found != parsed_.end()) return found->second;
    // A line may name what is in the folder and nothing else.
    const auto path = std::filesystem::path(name).lexically_normal();
    if (path.empty() || path.is_absolute() || *path.begin() == "..")
      fail(ErrorKind::input, "template_file: expected a file below {}, found `{}`", folder_.string(), name);
    auto parsed = ChatTemplate::parse(read_file(folder_ / path), name);
    if (now_) parsed.set_now(*now_);
    return parsed_.emplace(name, std::move(parsed)).first->second;
  }

 private:
  std::filesystem::path folder_;
  std::optional<std::time_t> now_;
  std::mutex mutex_;
  std::map<std::string, ChatTemplate> parsed_;
};

// Where the template of a line comes from: one for all, a folder, or the line itself.
struct TemplateSource {
  std::optional<ChatTemplate> fixed;
  Json variables = Json::object();  // the model's special tokens
  std::unique_ptr<TemplateFolder> folder;
  std::optional<std::time_t> now;  // for templates that print the date

  ChatTemplate of(const Fields& fields) const {
    if (fixed) return *fixed;
    if (folder) return folder->get(fields.text("template_file"));
    auto parsed = ChatTemplate::parse(fields.text("template"), "template");
    if (now) parsed.set_now(*now);
    return parsed;
  }
};

std::time_t read_date(const std::string& day) {
  const auto noon = text::noon_of_day(day);
  if (!noon) fail(ErrorKind::usage, "--date: expected a day such as 2025-07-10, found `{}`", day);
  return *noon;
}

TemplateSource read_source(const CommandLine& line) {
  if (line.has("model") + line.has("template") + line.has("template-dir") > 1)
    fail(ErrorKind::usage, "expected one of --model, --template and --template-dir, found several");
  TemplateSource source;
  if (line.has("date")) source.now = read_date(line.text("date"));
  if (line.has("model")) {
    const std::string path = line.text("model");
    const auto tokenizer = from_argument("--model", path, [&] { return text::Tokenizer::from_path(path); });
    if (!tokenizer.chat_template())
      fail(ErrorKind::usage, "--model {}: its tokenizer has no chat template; give --template FILE", path);
    source.fixed = from_argument("--model", path,
                                 [&] { return ChatTemplate::parse(*tokenizer.chat_template(), "chat_template"); });
    for (const auto& [name, token] : tokenizer.special_tokens()) source.variables[name] = token;
  } else if (line.has("template")) {
    const std::string path = line.text("template");
    source.fixed = from_argument("--template", path, [&] {
      return ChatTemplate::parse(read_file(path), std::filesystem::path(path).filename().string());
    });
  } else if (line.has("template-dir")) {
    const std::string path = line.text("template-dir");
    if (!std::filesystem::is_directory(path))
      fail(ErrorKind::usage, "--template-dir {}: expected a folder, found {}", path,
           std::filesystem::exists(path) ? "a file" : "nothing");
    source.folder = std::make_unique<TemplateFolder>(path, source.now);
  }
  if (source.fixed && source.now) source.fixed->set_now(*source.now);
  return source;
}

Json render_line(const TemplateSource& source, const Fields& fields) {
  Json variables = source.variables;
  if (const Json* context = fields.find("context")) {
    if (!context->is_object()) wrong_value("context", "an object of variables", *context);
    variables.update(*context);
  }
  if (const Json* tools = fields.find("tools")) variables["tools"] = *tools;
  const Json& messages = fields.need("messages", "a list of messages");
  if (!messages.is_array()) wrong_value("messages", "a list of messages", messages);
  return {{"text", source.of(fields).render(messages, fields.boolean("add_generation_prompt", false), variables)}};
}

int run_render(const Arguments& arguments, Streams& streams) {
  CommandLine line("render", "Puts the messages of each line into a chat template.");
  line.section("Template (one of these, or a field `template` in each line)");
  line.option("model", "DIR", "the template of a model folder, with its special tokens as variables");
  line.option("template", "FILE", "a Jinja file");
  line.option("template-dir", "DIR", "a folder; each line names the file in the field template_file");
  line.section("Work");
  line.option("date", "YYYY-MM-DD", "the day that templates print; default today");
  line.option("threads", "N", "worker threads; default 0 = all cores");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: messages; add_generation_prompt (false); tools; context (further variables such as bos_token);\n"
      "template_file or template, as above.  Field added: text.\n\n"
      "Example:\n"
      "  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true}' | "
      "laconic render --model DIR");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const int64_t threads = line.whole("threads", 0, 4096, 0);
  const TemplateSource source = read_source(line);
  std::vector<std::string> names = {"messages", "add_generation_prompt", "tools", "context"};
  if (source.folder) names.emplace_back("template_file");
  if (!source.folder && !source.fixed) names.emplace_back("template");
  return run_line_filter(line, streams, names, threads,
                         [&](const Fields& fields) { return render_line(source, fields); });
}

}  // namespace

Command render_command() {
  return {"render", "conversations to text, by a chat template", CommandGroup::filters, run_render};
}

}  // namespace laconic::cli

// laconic tokenize: text to token ids.
#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/program.h"
#include "laconic/core/text/tokenizer.h"

namespace laconic::cli {
namespace {

int run_tokenize(const Arguments& arguments, Streams& streams) {
  CommandLine line("tokenize", "Turns the text of each line into token ids.");
  line.section("Tokenizer");
  line.option("tokenizer", "DIR_OR_FILE", "a model folder, or a tokenizer.json file");
  line.option("threads", "N", "worker threads; default 0 = all cores");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: text; add_special_tokens (false).  Field added: ids.\n\n"
      "Example:\n"
      "  echo '{\"text\": \"Hello world\"}' | laconic tokenize --tokenizer DIR");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const int64_t threads = line.whole("threads", 0, 4096, 0);
  const std::string path = line.text("tokenizer");
  const auto tokenizer = from_argument("--tokenizer", path, [&] { return text::Tokenizer::from_path(path); });
  return run_line_filter(line, streams, {"text", "add_special_tokens"}, threads, [&](const Fields& fields) {
    const std::string text = fields.text("text");
    return Json{{"ids", tokenizer.encode(text, fields.boolean("add_special_tokens", false))}};
  });
}

}  // namespace

Command tokenize_command() {
  return {"tokenize", "text to token ids", CommandGroup::filters, run_tokenize};
}

}  // namespace laconic::cli

// laconic detokenize: token ids to text.
#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/program.h"
#include "laconic/core/text/tokenizer.h"

namespace laconic::cli {
namespace {

int run_detokenize(const Arguments& arguments, Streams& streams) {
  CommandLine line("detokenize", "Turns the token ids of each line into text.");
  line.section("Tokenizer");
  line.option("tokenizer", "DIR_OR_FILE", "a model folder, or a tokenizer.json file");
  line.option("threads", "N", "worker threads; default 0 = all cores");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: ids; skip_special_tokens (false).  Field added: text.\n"
      "Bytes that form no character become U+FFFD; an id without a token becomes nothing.\n\n"
      "Example:\n"
      "  echo '{\"ids\": [9707, 1879]}' | laconic detokenize --tokenizer DIR");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const int64_t threads = line.whole("threads", 0, 4096, 0);
  const std::string path = line.text("tokenizer");
  const auto tokenizer = from_argument("--tokenizer", path, [&] { return text::Tokenizer::from_path(path); });
  return run_line_filter(line, streams, {"ids", "skip_special_tokens"}, threads, [&](const Fields& fields) {
    const auto ids = fields.ids("ids");
    return Json{{"text", tokenizer.decode(ids, fields.boolean("skip_special_tokens", false))}};
  });
}

}  // namespace

Command detokenize_command() {
  return {"detokenize", "token ids to text", CommandGroup::filters, run_detokenize};
}

}  // namespace laconic::cli

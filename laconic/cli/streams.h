// Where a command reads and writes: the process's own streams in the program, string streams in tests.
#pragma once

#include <istream>
#include <ostream>
#include <string_view>

namespace laconic::cli {

struct Streams {
  std::istream& in;
  std::ostream& out;  // results alone
  std::ostream& err;  // everything said to a person
};

// Thrown when whoever read our output has gone away (`laconic ... | head`): not an error, the program ends quietly.
struct OutputClosed {};

// Writes and flushes, and proves that it arrived: a full disk or a closed descriptor is an Error of kind io that names
// the stream, a pipe without a reader throws OutputClosed.
void write_checked(std::ostream& out, std::string_view text);

}  // namespace laconic::cli

#include "laconic/cli/problem.h"

#include <c10/util/Exception.h>

#include <exception>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <string_view>

#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

std::string out_of_memory(std::string_view detail) {
  return fmt::format("out of memory{}{}; use smaller batches or a machine with more memory", detail.empty() ? "" : ": ",
                     detail);
}

// The first line says what is wrong; what follows are C++ frames.
std::string first_line(std::string_view text) {
  return std::string(trim(text.substr(0, text.find('\n'))));
}

Problem tensor_problem(const c10::Error& error) {
  const std::string message = first_line(error.what_without_backtrace());
  if (message.find("can't allocate memory") != std::string::npos) return {ErrorKind::io, out_of_memory(message)};
  return {ErrorKind::internal, "LibTorch: " + message};
}

}  // namespace

Problem current_problem() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  } catch (const c10::Error& error) {
    return tensor_problem(error);
  } catch (const std::bad_alloc&) {
    return {ErrorKind::io, out_of_memory("")};
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.type_error.302] type must be ..., but is ...": a value of the input has the wrong type.
    return {ErrorKind::input, parser_reason(error.what())};
  } catch (const std::filesystem::filesystem_error& error) {
    // What the system refuses: links that go in circles, folders that may not be looked into.
    return {ErrorKind::io, fmt::format("cannot use {}: {}", error.path1().string(), error.code().message())};
  } catch (const std::exception& error) {
    return {ErrorKind::internal, first_line(error.what())};
  } catch (...) {
    return {ErrorKind::internal, "an unknown error"};
  }
}

}  // namespace laconic::cli

// TensorBoard event files: scalars and text of a run, one event per step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "laconic/core/metrics/append_file.h"
#include "laconic/core/metrics/row.h"

namespace laconic::metrics {

class TensorBoardWriter {
 public:
  using Clock = std::function<double()>;  // seconds since 1970

  // Makes `folder` and a new event file in it. A resumed run passes the first step that it will write: TensorBoard then
  // forgets what earlier files of the folder hold from there on. Error(io) names the path.
  explicit TensorBoardWriter(const std::filesystem::path& folder, std::optional<int64_t> first_step = std::nullopt,
                             Clock clock = {});

  // All numbers of the row (strings are skipped: write_text is for them). Values are stored as f32, as TensorBoard
  // does.
  void write(const MetricRow& row);
  // Markdown text under a tag (config, samples).
  void write_text(int64_t step, std::string_view tag, std::string_view text);

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  Clock clock_;
  AppendFile file_;
};

}  // namespace laconic::metrics

// The page that shows a run to a person: one self-contained HTML file without any outside resource, readable on a
// phone, light or dark as the reader's system is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/metrics/axis.h"
#include "laconic/core/metrics/scatter_chart.h"
#include "laconic/core/metrics/series.h"
#include "laconic/core/metrics/statistics.h"

namespace laconic::metrics {

// How a model did on held-out problems.
struct Outcome {
  Interval accuracy;     // a fraction
  Interval mean_tokens;  // per completion
};

struct ReportRun {
  std::string label;
  SeriesTable table;
};

// A metric worth a curve: `names` are tried in order, the first that a run has is drawn.
struct CurveSpec {
  std::string title;
  std::vector<std::string> names;
  Figure figure = Figure::number;
  bool logarithmic = false;
  std::string unit;  // after the title, may be empty
};

struct ReportAnswer {
  std::string text;
  std::optional<bool> correct;  // nothing: not judged
  int64_t tokens = 0;
};

struct ReportSample {
  std::string prompt;
  std::string reference;  // the expected answer; may be empty
  std::optional<ReportAnswer> before;
  std::optional<ReportAnswer> after;
};

// Reward, accuracy, length, KL, entropy, mismatch, losses, gradient norm, throughput, by the names that the trainers
// use.
std::vector<CurveSpec> default_curves();

// Everything is optional but the title; an empty part has no section.
struct ReportInput {
  std::string title;
  std::string subtitle;
  std::string evaluation;  // what the two outcomes were measured on ("512 held-out problems, temperature 1, seed 7")
  std::optional<Outcome> before;
  std::optional<Outcome> after;
  std::vector<ScatterPoint> points;  // empty: before and after
  std::vector<ReportRun> runs;
  std::vector<CurveSpec> curves = default_curves();
  std::vector<ReportSample> samples;
  std::vector<std::string> notes;  // shown with those of the runs' tables
  std::string command;
  std::string config_yaml;
  std::vector<std::pair<std::string, std::string>> versions;
};

std::string render_report(const ReportInput& input);

// render_report, written atomically.
void write_report(const std::filesystem::path& path, const ReportInput& input);

// A report's curves, config and versions from run folders; the first folder gives config and versions. Missing single
// files become notes. Outcomes, samples and texts are the caller's.
ReportInput read_run_folders(const std::vector<std::filesystem::path>& folders);

}  // namespace laconic::metrics

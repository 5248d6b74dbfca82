// The fixed parts of the report page.
#pragma once

namespace laconic::metrics {

extern const char* const kReportStyle;   // CSS
extern const char* const kReportScript;  // values under the pointer of a line chart

}  // namespace laconic::metrics

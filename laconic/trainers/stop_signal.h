// Ctrl-C and SIGTERM: the first asks the run to save and end, the second ends the process at once.
#pragma once

namespace laconic::trainers {

// Installs the handlers for SIGINT and SIGTERM; repeated calls do nothing.
void install_stop_signals();

// True after the first signal.
bool stop_requested();
// Exit status of a run that a signal ended: 128 + its number, 128 + SIGINT where there was none.
int stop_status();

// For tests.
void request_stop();
void clear_stop_request();

}  // namespace laconic::trainers

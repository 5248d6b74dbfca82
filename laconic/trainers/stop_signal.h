// Signals that end a run: the first asks it to save and end, a second one, a tenth of a second later or more, ends the
// process at once. They are Ctrl-C and SIGTERM, and unless they are ignored, the end of the terminal (SIGHUP) and of
// whoever reads our lines (SIGPIPE).
#pragma once

namespace laconic::trainers {

// Installs the handlers; repeated calls do nothing.
void install_stop_signals();

// True after the first signal.
bool stop_requested();
// Exit status of a run that a signal ended: 128 + its number, 128 + SIGINT where there was none.
int stop_status();

// For tests.
void request_stop();
void clear_stop_request();

}  // namespace laconic::trainers

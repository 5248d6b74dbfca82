// The actions of `laconic data`; each takes what follows its name and returns the exit status.
#pragma once

#include "laconic/cli/command.h"

namespace laconic::cli {

int run_data_check(const Arguments& arguments, Streams& streams);
int run_data_overlap(const Arguments& arguments, Streams& streams);
int run_data_filter(const Arguments& arguments, Streams& streams);
int run_data_generate(const Arguments& arguments, Streams& streams);
int run_data_sample(const Arguments& arguments, Streams& streams);

}  // namespace laconic::cli

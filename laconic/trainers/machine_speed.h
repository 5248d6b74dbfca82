// The machine's own limits, measured in a moment: what every throughput is compared with.
#pragma once

namespace laconic::trainers {

struct MachineSpeed {
  double flops = 0;      // best f32 matrix product with all threads of the team, floating-point operations per second
  double bandwidth = 0;  // best sequential read, bytes per second
};

MachineSpeed measure_machine_speed();

}  // namespace laconic::trainers

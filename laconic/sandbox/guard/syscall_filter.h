// What programs in a sandbox may not ask of the kernel.
#pragma once

namespace laconic::guard {

// Of this process and all that it starts, for good: no sockets, no namespaces and mounts, no looking into other
// processes, no memory beside that which is counted, nothing that administrators do. False with errno when the kernel
// has no such filters.
bool filter_syscalls();

}  // namespace laconic::guard

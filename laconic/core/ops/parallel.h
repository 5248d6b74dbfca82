// The threads of the CPU operations: one team for the process, as LibTorch has one.
//
// LibTorch's own threads are not used (set_threads() sets them to 1): its OpenMP workers spin for milliseconds after
// each call, which on a busy machine slows everything tenfold. Workers here spin for some microseconds, then sleep.
#pragma once

#include <cstdint>
#include <functional>

namespace laconic::ops {

// Sets the number of threads, the calling one included; 0 = all cores that this process may use. Not while work runs.
void set_threads(int threads);
int threads();

// Calls body(i) for i = 0 .. tasks-1, some of them at once, and returns when all are done. Tasks are dealt in order.
// The first exception is thrown on. Inside a task, or while another thread runs a team job, tasks run one after the
// other on the calling thread.
void parallel_tasks(int64_t tasks, const std::function<void(int64_t)>& body);

// Calls body(begin, end) over 0 .. n in pieces of `piece`. Pieces do not depend on the number of threads, so that a
// result that is added up piece by piece does not either.
void parallel_pieces(int64_t n, int64_t piece, const std::function<void(int64_t, int64_t)>& body);

}  // namespace laconic::ops

#!/usr/bin/env bash
# Compiles the CUDA side (liblaconic_cuda.so and what runs on a GPU to check it, in build/cuda) where its tools are there: nvcc, and the LibTorch that
# scripts/setup.sh --cuda has fetched. Fetches nothing itself. This is the test `cuda_build`; exit status 77 = skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

skip() { say "skipped: $*"; exit 77; }

PATH=$PATH:/usr/local/cuda/bin
have_libtorch cuda || skip "no LibTorch with CUDA; scripts/setup.sh --cuda fetches it"
ensure_libtorch cuda
[ -e "$LIBTORCH_ROOT/lib/libtorch_cuda.so" ] || skip "LACONIC_LIBTORCH has no CUDA"
command -v nvcc >/dev/null || [ -x "$LIBTORCH_ROOT/../nvidia/cu13/bin/nvcc" ] || skip "no nvcc"
mkdir -p "$laconic_root/build"
exec 8>"$laconic_root/build/cuda.lock"
flock 8
build_preset cuda laconic_cuda_plugin test_cuda_gpu bench_cuda_gpu
say "compiled: $laconic_root/build/cuda/liblaconic_cuda.so"

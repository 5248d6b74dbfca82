#!/usr/bin/env bash
# Sets up what building needs (Debian packages, LibTorch, Arrow) and builds the program: build/release/laconic.
#   scripts/setup.sh [--cuda] [--parquet]
#     --cuda       fetch and build the CUDA side as well (build/cuda)
#     --parquet    end with an error where Arrow cannot be fetched; without it the build then reads no Parquet files
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

flavour=cpu
preset=release
parquet=
for argument in "$@"; do
  case $argument in
    --cuda) flavour=cuda preset=cuda ;;
    --parquet) parquet=required ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument $argument; expected --cuda or --parquet"; exit 2 ;;
  esac
done

ensure_packages
ensure_libtorch "$flavour"
ensure_arrow $parquet
build_preset "$preset" laconic
say "ready: $laconic_root/build/$preset/laconic"

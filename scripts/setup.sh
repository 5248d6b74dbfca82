#!/usr/bin/env bash
# Sets up what building needs (Debian packages, LibTorch) and builds the program: build/release/laconic.
#   scripts/setup.sh [--cuda]      --cuda: fetch and build the CUDA side as well (build/cuda)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

flavour=cpu
preset=release
for argument in "$@"; do
  case $argument in
    --cuda) flavour=cuda preset=cuda ;;
    -h | --help) sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument $argument; expected --cuda"; exit 2 ;;
  esac
done

ensure_packages
ensure_libtorch "$flavour"
build_preset "$preset" laconic
say "ready: $laconic_root/build/$preset/laconic"

#!/usr/bin/env bash
# Builds the fuzz target with clang's libFuzzer, address and undefined-behaviour sanitizers and runs it.
#   fuzz/run.sh [SECONDS]      default 600; findings end up in $OUT/findings and make the exit status non-zero
#
# OUT=DIR      work folder (default: build/fuzz); its corpus is kept and extended
# DATA=DIR     reference data with math_equivalence/ (default: ../shared/data)
# CLANGXX      default: clang++
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-600}
out=${OUT:-build/fuzz}
data=${DATA:-../shared/data}
mkdir -p "$out/seeds" "$out/corpus" "$out/findings" "$out/objects"
python3 fuzz/make_seeds.py "$data" "$out/seeds"
flags=(-std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
  -fno-sanitize-recover=undefined -DLACONIC_LIBEXEC="\"/nonexistent\"" -I. -Ibuild/release/include-first)
objects=()
for source in laconic/rewards/*.cpp laconic/sandbox/*.cpp laconic/core/base/{descriptor,error,strings}.cpp fuzz/math_verifier_fuzzer.cpp; do
  object=$out/objects/$(basename "$source" .cpp).o
  newer=$(find "$source" laconic/rewards laconic/core/base \( -path "$source" -o -name '*.h' \) -newer "$object" -print -quit 2>/dev/null || true)
  if [ ! -e "$object" ] || [ -n "$newer" ]; then "${CLANGXX:-clang++}" "${flags[@]}" -c "$source" -o "$object"; fi
  objects+=("$object")
done
"${CLANGXX:-clang++}" -fsanitize=fuzzer,address,undefined "${objects[@]}" -lfmt -lutf8proc -o "$out/math_verifier_fuzzer"
"$out/math_verifier_fuzzer" -max_total_time="$seconds" -max_len=4096 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$out/findings/" "$out/corpus" "$out/seeds"

#!/usr/bin/env bash
# From a bare machine to a model that reasons better in fewer tokens: sets up, builds, teaches a small transformer
# chained arithmetic by supervised fine-tuning, then trains it by reinforcement learning.
#   scripts/quickstart.sh [--seed N] [--output DIR] [--cuda]
#     --seed N       varies every random choice of both stages (default 0)
#     --output DIR   where the run folders go (default runs)
#     --cuda         fetch and build the CUDA side as well
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

flavour=cpu preset=release seed=0 output=$laconic_root/runs
while [ $# -gt 0 ]; do
  case $1 in
    --seed) [ $# -ge 2 ] || die "--seed needs a number"; seed=$2; shift ;;
    --seed=*) seed=${1#*=} ;;
    --output) [ $# -ge 2 ] || die "--output needs a folder"; output=$2; shift ;;
    --output=*) output=${1#*=} ;;
    --cuda) flavour=cuda preset=cuda ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument $1; expected --seed N, --output DIR or --cuda"; exit 2 ;;
  esac
  shift
done
[[ $seed =~ ^[0-9]+$ ]] || { say "--seed: expected a whole number, found $seed"; exit 2; }
mkdir -p "$output" || die "$output cannot be made; choose another folder with --output"
output=$(cd "$output" && pwd)

ensure_packages
ensure_libtorch "$flavour"
build_preset "$preset" laconic

cd "$laconic_root"
laconic=build/$preset/laconic
sft=$output/quickstart-seed$seed-sft
rl=$output/quickstart-seed$seed
say "== 1 of 2: supervised fine-tuning of a 146k-parameter transformer, from scratch =="
"$laconic" sft configs/quickstart/sft.yaml --overwrite "--seed=$seed" "--output.folder=$sft"
say "== 2 of 2: reinforcement learning with a length-aware reward =="
"$laconic" train configs/quickstart/rl.yaml --overwrite "--seed=$seed" "--model.path=$sft/model" "--output.folder=$rl"
say "summary $rl/summary.json"

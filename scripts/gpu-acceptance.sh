#!/usr/bin/env bash
# Everything that needs a GPU, with one command: builds the CUDA side, runs the kernels' tests on the GPU against the CPU's
# operations, the plug-in's tests (attention, graphs, NCCL over all visible GPUs), a whole model on the GPU against the CPU
# (training pass, greedy and sampled tokens), short runs of the trainers on one GPU and on all of them, the sanitizer where
# it is installed, and the benchmark; writes the results into docs/gpu-status.md. The exit status is 0 when every check
# passed.
#   scripts/gpu-acceptance.sh [--output FILE]     --output: write the page there instead of docs/gpu-status.md
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

page=$laconic_root/docs/gpu-status.md
output=$page
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -ge 2 ] || { say "--output: expected a file"; exit 2; }; output=$2; shift ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument $1; expected --output FILE"; exit 2 ;;
  esac
  shift
done

command -v nvidia-smi >/dev/null || die "no GPU driver here (nvidia-smi is not found); run this on a machine with an NVIDIA GPU"
gpus=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader) && [ -n "$gpus" ] ||
  die "nvidia-smi lists no GPU: $gpus"

ensure_packages
ensure_libtorch cuda
PATH=$PATH:/usr/local/cuda/bin
build_preset cuda laconic laconic_cuda_plugin test_cuda test_cuda_gpu bench_cuda_gpu
build=$laconic_root/build/cuda
logs=$build/acceptance
where=$build  # the folder of the checks
rm -rf "$logs"
mkdir -p "$logs"
failures=0
: >"$logs/rows"

# check NAME TITLE COMMAND...: runs it, keeps its output in logs/NAME.log, adds a row to the table.
check() {
  local name=$1 title=$2 status=0 start=$SECONDS result
  shift 2
  say "$title"
  (cd "$where" && OMP_NUM_THREADS=1 "$@") >"$logs/$name.log" 2>&1 || status=$?
  result=passed
  if [ "$status" -ne 0 ]; then
    result="**failed** (status $status)"
    failures=$((failures + 1))
    say "  failed, status $status; the end of $logs/$name.log:"
    tail -n 15 "$logs/$name.log" >&2
  elif grep -q '^\[  SKIPPED \]' "$logs/$name.log"; then
    result="passed, $(grep -c '^\[  SKIPPED \] [^ ]*$' "$logs/$name.log") skipped"
  fi
  # A bar within the command would end the cell.
  printf '| %s | `%s` | %s | %d s |\n' "$title" "$(sed "s/|/\\\\|/g; s,$laconic_root/,,g" <<<"$*")" "$result" $((SECONDS - start)) >>"$logs/rows"
}

# Some numbers of the last row of a run.
last_step() {
  [ -s "$1" ] || { echo "no steps"; return; }
  tail -n 1 "$1" | grep -oE '"(step|mismatch/max|reward/mean|optim/grad_norm|throughput/[a-z_]*|time/step_s)": *[-+.0-9e]*' |
    tr '\n' ' '
}

kernels='RowKernels*:LogitKernels*:SampleKernel*:Shapes/AttentionKernels*:PagedDecode*'
check doctor "laconic doctor names the GPU" sh -c './laconic doctor && ./laconic doctor | grep -q "GPU 0"'
check emulation "Kernels under emulation, opening the plug-in" ./test_cuda
check kernels "Kernels on the GPU agree with the CPU" ./test_cuda_gpu "--gtest_filter=$kernels"
check plugin "Plug-in: tensors, flash attention, decode graphs" ./test_cuda_gpu '--gtest_filter=Gpu.*-Gpu.Nccl*'
check nccl "NCCL over all visible GPUs" ./test_cuda_gpu '--gtest_filter=Gpu.Nccl*'
check model "A whole model agrees with the CPU" ./test_cuda_gpu '--gtest_filter=All/GpuModel*'

# Runs as a user makes them: the quickstart's configurations, shortened. Their folders stay beside the logs.
where=$laconic_root
few=(--model.device=cuda --overwrite --output.tensorboard=false)
rl=("$build/laconic" train configs/quickstart/rl.yaml "${few[@]}" --train.steps=10 "--model.path=$logs/sft/model")
check sft "SFT of the quickstart, 300 steps" \
  "$build/laconic" sft configs/quickstart/sft.yaml "${few[@]}" --train.steps=300 "--output.folder=$logs/sft"
check grpo "GRPO of the quickstart, 10 steps" "${rl[@]}" "--output.folder=$logs/grpo"
check grpo_bf16 "The same in bf16" "${rl[@]}" --model.dtype=bf16 "--output.folder=$logs/grpo_bf16"
check grpo_ranks "The same with a rank on each GPU" \
  "$build/laconic" launch -n "$(wc -l <<<"$gpus")" -- "${rl[@]:1}" "--output.folder=$logs/grpo_ranks"
where=$build

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    check "$tool" "compute-sanitizer $tool" compute-sanitizer --tool "$tool" --error-exitcode 9 ./test_cuda_gpu "--gtest_filter=$kernels"
  done
else
  printf '| compute-sanitizer | - | not run: not installed | - |\n' >>"$logs/rows"
fi
check benchmark "Benchmark" ./bench_cuda_gpu

{
  sed '/^<!-- acceptance: begin -->/q' "$page"
  echo
  echo "Run on $(date -u +%Y-%m-%d), commit $(git -C "$laconic_root" describe --always --dirty --abbrev=12), with \`scripts/gpu-acceptance.sh\`, on:"
  echo
  sed 's/^/- /' <<<"$gpus"
  echo
  echo "| check | command, in build/cuda or, of the program, in the project's folder | result | time |"
  echo "|---|---|---|---|"
  cat "$logs/rows"
  echo
  echo "The last step of each GRPO run (\`mismatch\`: the largest difference between a logprob of the sampler and the trainer's):"
  echo
  for run in grpo grpo_bf16 grpo_ranks; do
    echo "    $run: $(last_step "$logs/$run/metrics.jsonl")"
  done
  echo
  grep -E '^(Copy:|\||$)' "$logs/benchmark.log" || true
  echo
  sed -n '/^<!-- acceptance: end -->/,$p' "$page"
} >"$logs/page"
mv "$logs/page" "$output"
say "written: $output"
[ "$failures" -eq 0 ] || { say "$failures checks failed"; exit 1; }
say "all checks passed"

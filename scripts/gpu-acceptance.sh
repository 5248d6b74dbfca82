#!/usr/bin/env bash
# Everything that needs a GPU, with one command: builds the CUDA side, runs the kernels' tests on the GPU against the CPU's
# operations, the plug-in's tests (attention, graphs, NCCL over all visible GPUs), the sanitizer where it is installed, and
# the benchmark; writes the results into docs/gpu-status.md. The exit status is 0 when every check passed.
#   scripts/gpu-acceptance.sh [--output FILE]     --output: write the page there instead of docs/gpu-status.md
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

page=$laconic_root/docs/gpu-status.md
output=$page
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -ge 2 ] || { say "--output: expected a file"; exit 2; }; output=$2; shift ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
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
rm -rf "$logs"
mkdir -p "$logs"
failures=0
: >"$logs/rows"

# check NAME TITLE COMMAND...: runs it, keeps its output in logs/NAME.log, adds a row to the table.
check() {
  local name=$1 title=$2 status=0 start=$SECONDS result
  shift 2
  say "$title"
  (cd "$build" && OMP_NUM_THREADS=1 "$@") >"$logs/$name.log" 2>&1 || status=$?
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
  printf '| %s | `%s` | %s | %d s |\n' "$title" "$(sed 's/|/\\|/g' <<<"$*")" "$result" $((SECONDS - start)) >>"$logs/rows"
}

kernels='RowKernels*:LogitKernels*:SampleKernel*:Shapes/AttentionKernels*:PagedDecode*'
check doctor "laconic doctor names the GPU" sh -c './laconic doctor && ./laconic doctor | grep -q "GPU 0"'
check emulation "Kernels under emulation, opening the plug-in" ./test_cuda
check kernels "Kernels on the GPU agree with the CPU" ./test_cuda_gpu "--gtest_filter=$kernels"
check plugin "Plug-in: tensors, flash attention, decode graphs" ./test_cuda_gpu '--gtest_filter=Gpu.*-Gpu.Nccl*'
check nccl "NCCL over all visible GPUs" ./test_cuda_gpu '--gtest_filter=Gpu.Nccl*'
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
  echo "| check | command, in build/cuda | result | time |"
  echo "|---|---|---|---|"
  cat "$logs/rows"
  echo
  grep -E '^(Copy:|\||$)' "$logs/benchmark.log" || true
  echo
  sed -n '/^<!-- acceptance: end -->/,$p' "$page"
} >"$logs/page"
mv "$logs/page" "$output"
say "written: $output"
[ "$failures" -eq 0 ] || { say "$failures checks failed"; exit 1; }
say "all checks passed"

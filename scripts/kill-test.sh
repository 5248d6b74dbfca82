#!/usr/bin/env bash
# Kills a short training run with SIGKILL at random moments, again and again, resumes it until it ends, and compares what
# it leaves with an uninterrupted run, byte for byte.
#   scripts/kill-test.sh N [RANKS [OPTION...]]
#     N        kills in all; runs are begun anew until so many have happened (and the last one has ended)
#     RANKS    ranks of the run (default 1); of several, one is killed, or all of them with their starter
#     OPTION   of every start, as --parallel.shard=optimizer
# The run saves after every step, evaluates now and then, and reuses each rollout for two updates; every second run
# writes its checkpoints asynchronously. SEED=S draws other moments. LACONIC=PROGRAM: another program than
# build/release/laconic. On a failure the folder with runs and logs stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/tiny_model.sh
laconic=$(readlink -f "${LACONIC:-build/release/laconic}")

say() { printf '%s\n' "$*" >&2; }
usage() { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ $# -ge 1 ] || usage
kills_wanted=$1 ranks=${2:-1}
shift $(($# < 2 ? $# : 2))
options=("$@")
[[ $kills_wanted =~ ^[1-9][0-9]*$ && $ranks =~ ^[1-9][0-9]*$ ]] || usage
[ -x "$laconic" ] || { say "$laconic is missing; build it first (scripts/test.sh)"; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/laconic-kill.XXXXXX")
RANDOM=${SEED:-$$}
export OMP_NUM_THREADS=1
fail() { say "FAILED: $*"; say "everything is in $dir"; exit 1; }

tiny_model "$dir/model"
cat >"$dir/run.yaml" <<END
seed: 5
threads: 1
model: {path: $dir/model, tokenizer: chain, init: random}
data: {source: chain, chain_per_grade: 4}
objective:
  name: grpo
  group_size: 4
  updates_per_rollout: 2
  overlong: {buffer: 16}
rollout: {max_tokens: 24}
reward: {verifier: boxed_exact}
optimizer: {lr: 1.0e-2, warmup_steps: 2}
train: {steps: 12, prompts_per_step: 4, micro_batch_tokens: 200}
eval: {every: 4}
checkpoint: {every: 1, keep: 2, keep_every: 5, best: mean_tokens}
output: {folder: to be given, samples_per_step: 2, tensorboard: false}
END

# Starts the run in folder $1 in the background; its process is $process.
start() {
  local folder=$1
  shift
  local command=("$laconic")
  [ "$ranks" -eq 1 ] || command+=(launch -n "$ranks" --grace 1 --)
  "${command[@]}" train "$dir/run.yaml" --resume "--output.folder=$folder" "${options[@]}" "$@" >"$folder.log" 2>&1 &
  process=$!
}

# Kills the run, or one of its ranks, if it is still there.
kill_it() {
  local victims=("$process") children=()
  mapfile -t children < <(pgrep -P "$process" || true)
  if [ ${#children[@]} -gt 0 ]; then
    if [ $((RANDOM % 2)) -eq 0 ]; then
      victims=("${children[RANDOM % ${#children[@]}]}")
    else
      victims+=("${children[@]}")
    fi
  fi
  kill -KILL "${victims[@]}" 2>/dev/null || return 1
  local victim
  for victim in "${children[@]}"; do
    while kill -0 "$victim" 2>/dev/null; do sleep 0.01; done
  done
}

compare() {
  local name
  for name in metrics.jsonl samples.jsonl evaluations.jsonl model/model.safetensors model/config.json; do
    cmp -s "$dir/whole/$name" "$1/$name" || fail "$1/$name differs from $dir/whole/$name"
  done
  diff -rq "$dir/whole/checkpoints" "$1/checkpoints" >&2 || fail "$1 has other checkpoints"
}

say "uninterrupted, $ranks rank(s)"
began=$EPOCHREALTIME
start "$dir/whole"
wait "$process" || fail "the uninterrupted run; its log is $dir/whole.log"
duration=$(awk "BEGIN { print $EPOCHREALTIME - $began }")

kills=0 writing=0 runs=0 attempts=0
while [ "$kills" -lt "$kills_wanted" ]; do
  runs=$((runs + 1))
  folder=$dir/run$runs
  [ $((runs % 2)) -eq 0 ] && how=true || how=false
  while true; do
    attempts=$((attempts + 1))
    start "$folder" "--checkpoint.asynchronous=$how"
    if [ "$kills" -lt "$kills_wanted" ]; then
      sleep "$(awk "BEGIN { print $duration * ($RANDOM + 1) / 32768 }")"
      if kill_it 2>/dev/null; then
        wait "$process" 2>/dev/null && break  # it had just ended
        kills=$((kills + 1))
        compgen -G "$folder/checkpoints/*.partial" >/dev/null && writing=$((writing + 1))
        continue
      fi
    fi
    wait "$process" || fail "a resumed run ended by itself; its log is $folder.log"
    break
  done
  compare "$folder"
  rm -rf "$folder"
done
say "$kills kills ($writing of them while a checkpoint was written), $attempts starts, $runs runs that ended: every one equals" \
  "the uninterrupted run byte for byte ($ranks rank(s)${options[*]:+, ${options[*]}}, a run of $duration s)"
rm -rf "$dir"

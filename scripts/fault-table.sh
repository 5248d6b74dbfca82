#!/usr/bin/env bash
# Runs a short training on two local ranks with one fault after the other, and prints what each rank said last, the exit
# status and how long it took from the fault to the end of the job.
#   scripts/fault-table.sh [--markdown] [NAME...]
#     NAME        of the faults below; all of them without any
#     --markdown  the table of docs/distributed.md
# LACONIC=PROGRAM: another program than build/release/laconic. Logs stay where a fault did not end as it should.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/tiny_model.sh
laconic=$(readlink -f "${LACONIC:-build/release/laconic}")
say() { printf '%s\n' "$*" >&2; }
[ -x "$laconic" ] || { say "$laconic is missing; build it first (scripts/test.sh)"; exit 1; }

# name | LACONIC_FAULT | options | expected status (0, or 1 for any other) | text that some rank must print
faults=(
  "killed in the rollout|kill:rank=1,step=2,phase=rollout||1|rank 1"
  "killed in the update|kill:rank=0,step=2,phase=update||1|rank 0"
  "killed while saving|kill:rank=1,step=2,phase=checkpoint|--parallel.shard=optimizer|1|rank 1"
  "stalls in the update|stall:rank=1,step=2,phase=update|--parallel.timeout=3|1|no progress"
  "error in the scores|error:rank=1,step=2,phase=score|--objective.updates_per_rollout=2|1|an error on purpose"
  "a message changes on its way|corrupt:rank=1,step=2,phase=rollout,collective=2||1|arrived otherwise"
  "a gradient changes on its way|corrupt:rank=1,step=2,phase=update,collective=2||1|different gradients"
  "weights that differ|desync:rank=1,step=2|--parallel.check_every=1|1|drifted apart"
  "gradient not finite|nan_gradient:rank=1,step=2||0|the gradient norm is not finite"
  "gradients not finite|nan_gradient:rank=1,step=2;nan_gradient:rank=1,step=3|--optimizer.max_skipped_steps=1|1|max_skipped_steps"
  "write refused|fail_write:rank=1,step=2|--parallel.shard=optimizer|1|rank 1: cannot write"
  "write refused, goes on|fail_write:rank=1,step=2|--parallel.shard=optimizer --checkpoint.on_error=continue|0|the run goes on without it"
  "slow disk|slow_write:rank=1,step=3|--parallel.shard=optimizer --checkpoint.every=3|0|"
  "slow disk, asynchronous|slow_write:rank=1,step=3|--parallel.shard=optimizer --checkpoint.asynchronous=true --checkpoint.every=3|0|"
  "garbage at the port|garbage||0|"
)

markdown=0
[ "${1:-}" = --markdown ] && { markdown=1; shift; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/laconic-faults.XXXXXX")
export OMP_NUM_THREADS=1
tiny_model "$dir/model"
cat >"$dir/run.yaml" <<END
seed: 5
threads: 1
model: {path: $dir/model, tokenizer: chain, init: random}
data: {source: chain, chain_per_grade: 4}
objective: {name: grpo, group_size: 4, overlong: {buffer: 16}}
rollout: {max_tokens: 24}
reward: {verifier: boxed_exact}
optimizer: {lr: 1.0e-3}
train: {steps: 5, prompts_per_step: 4, micro_batch_tokens: 200}
eval: {every: 0}
checkpoint: {every: 1, keep: 9}
output: {folder: to be given, tensorboard: false}
END

now() { printf '%s' "${EPOCHREALTIME/,/.}"; }

failed=0
run_fault() {
  local name=$1 fault=$2 options=$3 expected=$4 text=$5 log status=0 began
  log=$dir/${name// /-}.log
  local environment=(LACONIC_FAULT="$fault") port=$((20000 + RANDOM % 20000)) launch=()
  [ "$fault" != garbage ] || { environment=(LACONIC_FAULT=); launch=(--meet "127.0.0.1:$port"); }
  # shellcheck disable=SC2086  # options are words
  env "${environment[@]}" "$laconic" launch -n 2 --grace 8 "${launch[@]}" -- train "$dir/run.yaml" \
    "--output.folder=$dir/run-${name// /-}" $options > >(stamp >"$log") 2>&1 &
  local process=$!
  [ "$fault" != garbage ] || annoy "$port" "$process"
  began=$(now)
  wait "$process" || status=$?
  sleep 0.1
  report "$name" "$fault" "$options" "$status" "$log" "$began"
  { [ "$expected" -eq 0 ] && [ "$status" -eq 0 ]; } || { [ "$expected" -ne 0 ] && [ "$status" -ne 0 ]; } ||
    { say "FAILED: $name: status $status, log $log"; failed=1; }
  [ -z "$text" ] || grep -qF "$text" "$log" || { say "FAILED: $name: nobody said \`$text\`, log $log"; failed=1; }
}

# Each line with the time before it.
stamp() { while IFS= read -r line; do printf '%s %s\n' "$(now)" "$line"; done; }

# Sends what is no message to the port until the run has ended.
annoy() {
  (while kill -0 "$2" 2>/dev/null; do
    { head -c 300 /dev/urandom >"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || true
    sleep 0.05
  done) &
}

# What rank $1 said in log $2 that decides, cut to a readable length: the first warning of a run that went on (status
# $3); of one that did not, its error, and before it what it knows of the cause where another rank is to blame.
# "launch": the starter's word.
decisive() {
  local pattern="^[0-9.]+ \\[$1\\] .*(error|warning): " which=(head -1)
  [ "$1" != launch ] || pattern='^[0-9.]+ laconic launch: error: '
  if [ "$3" -ne 0 ]; then
    which=(grep -E 'error: |warning: rank [0-9]+.* (failed:|sign of life|is gone)')
  fi
  { grep -E "$pattern" "$2" | grep -v 'warning: LACONIC_FAULT' || true; } | { "${which[@]}" || true; } | cut -d' ' -f2- |
    sed -E "s/^\\[[0-9]\\] //; s#$dir/[a-z,-]+/##g; s/^(laconic [a-z]+: )?(error|warning): //" | cut -c1-230 |
    awk 'NR > 1 { printf "; " } { printf "%s", $0 }'
}

# The longest that a step waited for its checkpoint, where nobody had to say anything.
waited() {
  grep -ho '"time/checkpoint_s":[0-9.e-]*' "$1/timing.jsonl" | cut -d: -f2 | sort -g | tail -1 |
    awk '{ printf "(a step waited %.2f s for its checkpoint at most)", $1 }'
}

report() {
  local name=$1 fault=$2 options=$3 status=$4 log=$5 began=$6 end since
  end=$(now)
  since=$({ grep -m1 'LACONIC_FAULT' "$log" || true; } | cut -d' ' -f1)
  local seconds
  seconds=$(awk "BEGIN { printf \"%.1f\", $end - ${since:-$began} }")
  local first second
  first=$(decisive 0 "$log" "$status") second=$(decisive 1 "$log" "$status")
  [[ $fault != slow_write* ]] || first=$(waited "$dir/run-${name// /-}")
  if [ "$markdown" -eq 1 ]; then
    # shellcheck disable=SC2016  # the backquotes are Markdown's
    printf '| %s | `%s`%s | %s | %s | %s | %s |\n' "$name" "$fault" "${options:+ \`$options\`}" "$status" "$seconds" \
      "$first" "$second"
  else
    printf '%s (%s)%s: status %s, %s s after the fault\n' "$name" "$fault" "${options:+ $options}" "$status" "$seconds"
    printf '  rank 0  %s\n  rank 1  %s\n  launch  %s\n' "$first" "$second" "$(decisive launch "$log" "$status")"
  fi
}

if [ "$markdown" -eq 1 ]; then
  # shellcheck disable=SC2016
  printf '| what happens | `LACONIC_FAULT` and options | status | s | rank 0 says | rank 1 says |\n'
  printf '|---|---|---|---|---|---|\n'
fi
for row in "${faults[@]}"; do
  IFS='|' read -r name fault options expected text <<<"$row"
  if [ $# -gt 0 ]; then
    wanted=0
    for one in "$@"; do [ "$one" != "$name" ] || wanted=1; done
    [ "$wanted" -eq 1 ] || continue
  fi
  run_fault "$name" "$fault" "$options" "$expected" "$text"
done
[ "$failed" -eq 0 ] || { say "logs are in $dir"; exit 1; }
rm -rf "$dir"

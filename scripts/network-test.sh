#!/usr/bin/env bash
# Runs two ranks in network namespaces of their own, joined by a veth pair, as if on two machines; cuts the link in the
# middle, sees that both ranks end with an error that names the other, mends the link, resumes, and compares what the run
# leaves with that of a run that nothing happened to, byte for byte.
#   scripts/network-test.sh [SHARD...]      values of parallel.shard (default: none parameters)
# Needs root and ip (iproute2). LACONIC=PROGRAM: another program than build/release/laconic. TIMEOUT=S: parallel.timeout
# of the run that is cut (default 20). On a failure the folder with runs and logs stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/tiny_model.sh
laconic=$(readlink -f "${LACONIC:-build/release/laconic}")

say() { printf '%s\n' "$*" >&2; }
fail() { say "FAILED: $*"; say "everything is in $dir"; exit 1; }
[[ ${1:-} != -* ]] || { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { say "network namespaces need root"; exit 1; }
command -v ip >/dev/null || { say "ip is missing: apt-get install --no-install-recommends iproute2"; exit 1; }
[ -x "$laconic" ] || { say "$laconic is missing; build it first (scripts/test.sh)"; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/laconic-network.XXXXXX")
hosts=("laconic-a-$$" "laconic-b-$$")
remove_hosts() { for host in "${hosts[@]}"; do ip netns delete "$host" 2>/dev/null || true; done; }
trap remove_hosts EXIT

make_hosts() {
  local rank
  for host in "${hosts[@]}"; do ip netns add "$host"; done
  ip link add wire0 netns "${hosts[0]}" type veth peer name wire1 netns "${hosts[1]}"
  for rank in 0 1; do
    ip -n "${hosts[rank]}" address add "10.0.0.$((rank + 1))/24" dev "wire$rank"
    ip -n "${hosts[rank]}" link set "wire$rank" up
    ip -n "${hosts[rank]}" link set lo up
  done
}

tiny_model "$dir/model"
cat >"$dir/run.yaml" <<END
seed: 5
threads: 1
model: {path: $dir/model, tokenizer: chain, init: random}
data: {source: chain, chain_per_grade: 4}
objective: {name: grpo, group_size: 4}
rollout: {max_tokens: 24}
reward: {verifier: boxed_exact}
optimizer: {lr: 1.0e-2}
train: {steps: 120, prompts_per_step: 8}
checkpoint: {every: 10}
parallel: {timeout: ${TIMEOUT:-20}}
output: {folder: to be given, tensorboard: false}
END

# run FOLDER SHARD: both ranks; their statuses come into `statuses`.
processes=() statuses=()
start() {
  local rank
  processes=()
  for rank in 0 1; do
    ip netns exec "${hosts[rank]}" "$laconic" train "$dir/run.yaml" --resume "--output.folder=$1" "--parallel.shard=$2" \
      --rank "$rank" --world-size 2 --meet 10.0.0.1:29400 >>"$1.rank-$rank.log" 2>&1 &
    processes+=($!)
  done
}
finish() {
  local process
  statuses=()
  for process in "${processes[@]}"; do
    if wait "$process"; then statuses+=(0); else statuses+=($?); fi
  done
}
rows() { if [ -f "$1/metrics.jsonl" ]; then wc -l <"$1/metrics.jsonl"; else echo 0; fi; }

test_shard() {
  local shard=$1 whole=$dir/whole-$1 cut=$dir/cut-$1 began name rank
  say "== parallel.shard=$shard: a run that nothing happens to"
  start "$whole" "$shard"
  finish
  [ "${statuses[*]}" = "0 0" ] || fail "statuses ${statuses[*]}; see $whole.rank-*.log"
  say "== the link is cut in the middle"
  start "$cut" "$shard"
  until [ "$(rows "$cut")" -ge 35 ]; do
    kill -0 "${processes[0]}" 2>/dev/null || fail "the run ended early; see $cut.rank-0.log"
    sleep 0.05
  done
  ip -n "${hosts[1]}" link set wire1 down
  began=$(date +%s)
  finish
  say "   after $(rows "$cut") steps; both ranks ended $(($(date +%s) - began)) s later, statuses ${statuses[*]}"
  for rank in 0 1; do
    [ "${statuses[rank]}" -ne 0 ] || fail "rank $rank ended as if nothing had happened"
    grep -q "rank $((1 - rank))" <(grep -A4 "error" "$cut.rank-$rank.log") || fail "rank $rank does not name the other; see $cut.rank-$rank.log"
    say "   rank $rank: $(grep -A2 "error" "$cut.rank-$rank.log" | head -3 | tr '\n' ' ')"
  done
  ip -n "${hosts[1]}" link set wire1 up
  say "== the link is back, the run goes on"
  start "$cut" "$shard"
  finish
  [ "${statuses[*]}" = "0 0" ] || fail "statuses ${statuses[*]} of the resumed run; see $cut.rank-*.log"
  grep -q "resuming from" "$cut.rank-0.log" || fail "it did not resume"
  for name in metrics.jsonl samples.jsonl evaluations.jsonl model/model.safetensors; do
    cmp "$cut/$name" "$whole/$name" || fail "$name differs from that of the run that nothing happened to"
  done
  say "   resumed: the same bytes"
}

make_hosts
[ $# -gt 0 ] || set -- none parameters
for shard in "$@"; do test_shard "$shard"; done
rm -rf "$dir"
say "PASSED: two hosts, the link cut, named, mended and resumed, with parallel.shard ${*}"

#!/usr/bin/env bash
# Runs laconic under a real SLURM on this machine: a controller and two node daemons with ports of their own, started
# and stopped here. Four CPU ranks over two nodes are submitted, signalled before the time limit, requeued, resumed,
# cancelled, and lose a node; the numbers are compared with a run that nothing happened to.
#   scripts/slurm-test.sh [--keep]      --keep leaves the folder with all logs
# Needs root and the Debian packages slurm-wlm and munge. LACONIC=PROGRAM: another program than build/release/laconic.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/tiny_model.sh
laconic=$(readlink -f "${LACONIC:-build/release/laconic}")

say() { printf '%s\n' "$*" >&2; }
die() { say "FAILED: $*"; exit 1; }
step() { say "== $* ($(($(date +%s) - began)) s)"; }

keep=no
case ${1:-} in
  "") ;;
  --keep) keep=yes ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || die "starting slurmctld, slurmd and munged needs root"
for program in slurmctld slurmd munged sbatch scontrol; do
  command -v $program >/dev/null || die "$program is missing: apt-get install --no-install-recommends slurm-wlm munge"
done
[ -x "$laconic" ] || die "$laconic is missing; build it first (scripts/test.sh)"

began=$(date +%s)
dir=$(mktemp -d /tmp/laconic-slurm.XXXXXX)
chmod 755 "$dir"
mkdir "$dir"/{state,munge}
export SLURM_CONF=$dir/slurm.conf
daemons=()

stop_all() {
  local status=$?
  [ ${#daemons[@]} -eq 0 ] || { scancel --full --me 2>/dev/null || true; sleep 1; kill "${daemons[@]}" 2>/dev/null || true; }
  wait 2>/dev/null || true
  if [ $status -ne 0 ] || [ $keep = yes ]; then say "logs are in $dir"; else rm -rf "$dir"; fi
}
trap stop_all EXIT

free_ports() {
  python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets: s.bind(("", 0))
print(*(s.getsockname()[1] for s in sockets))' "$1"
}

write_configuration() {
  local ports
  read -r -a ports < <(free_ports 3)
  dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
  chmod 600 "$dir/munge/key"
  chmod 700 "$dir/munge"
  cat >"$SLURM_CONF" <<END
ClusterName=laconic
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=20
KillWait=10
MpiDefault=none
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=2 RealMemory=2000
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=2 RealMemory=2000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
END
}

start_node() {
  mkdir -p "$dir/spool-$1"
  slurmd -D -N "$1" >"$dir/slurmd-$1.out" 2>&1 &
  daemons+=($!)
}

start_cluster() {
  munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >"$dir/munge/out" 2>&1 &
  daemons+=($!)
  wait_for 10 "munged" test -S "$dir/munge/socket"
  slurmctld -D -i >"$dir/slurmctld.out" 2>&1 &
  daemons+=($!)
  start_node n1
  start_node n2
  wait_for 30 "both nodes" both_idle
}

both_idle() { [ "$(sinfo -h -N -o '%t' 2>/dev/null | grep -c '^idle$')" -eq 2 ]; }

# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local limit=$1 what=$2 end
  shift 2
  end=$(($(date +%s) + limit))
  until "$@"; do
    [ "$(date +%s)" -lt $end ] || die "$what did not come within $limit s"
    sleep 0.3
  done
}

state_of() { scontrol -o show job "$1" | grep -o 'JobState=[A-Z_]*' | cut -d= -f2; }
in_state() { [[ $(state_of "$1") == $2 ]]; }
rows_of() { if [ -f "$1/metrics.jsonl" ]; then wc -l <"$1/metrics.jsonl"; else echo 0; fi; }
has_rows() { [ "$(rows_of "$1")" -ge "$2" ]; }

# The processes of a run's ranks, by its folder; those on one node.
ranks_of() { pgrep -f -- "--output.folder=$1 " || true; }
no_ranks() { [ -z "$(ranks_of "$1")" ]; }
ranks_on() {
  local process
  for process in $(ranks_of "$2"); do
    if grep -qz "^SLURMD_NODENAME=$1\$" "/proc/$process/environ" 2>/dev/null; then echo "$process"; fi
  done
}

write_run() {
  tiny_model "$dir/model"
  cat >"$dir/run.yaml" <<END
seed: 5
model: {path: $dir/model, tokenizer: chain, init: random}
data: {source: chain, chain_per_grade: 4}
objective: {name: grpo, group_size: 4, updates_per_rollout: 2}
rollout: {max_tokens: 24}
reward: {verifier: boxed_exact}
optimizer: {lr: 1.0e-3}
train: {steps: $steps, prompts_per_step: 8}
checkpoint: {every: 20}
parallel: {shard: optimizer, timeout: 60}
output: {tensorboard: false, folder: $dir/unused}
END
}

submit() {
  "$laconic" slurm "$dir/run.yaml" --nodes 2 --ranks-per-node 2 --submit "$@" || die "laconic slurm --submit"
}

same_numbers() {
  local file
  for file in metrics.jsonl samples.jsonl evaluations.jsonl model/model.safetensors; do
    cmp "$1/$file" "$2/$file" || die "$3: $file differs from that of the run that nothing happened to"
  done
}

# Steps for about a minute and a half, measured: the time limit of a minute must cut the run.
choose_steps() {
  local start
  start=$(date +%s%N)
  "$laconic" launch -n 4 -- train "$dir/run.yaml" --output.folder="$dir/speed" --threads=1 >"$dir/speed.log" 2>&1 || die "launch: see $dir/speed.log"
  steps=$(python3 -c "print(max(60, int(90 * $steps / ((($(date +%s%N)) - $start) / 1e9))))")
}

steps=60
write_configuration
write_run
step "start munged, slurmctld and two slurmd"
start_cluster
choose_steps
sed -i "s/steps: [0-9]*/steps: $steps/" "$dir/run.yaml"

step "the run that nothing happens to: 4 local ranks, $steps steps"
"$laconic" launch -n 4 -- train "$dir/run.yaml" --output.folder="$dir/whole" --threads=1 >"$dir/whole.log" 2>&1 || die "launch: see $dir/whole.log"

step "submit: 4 ranks over 2 nodes, a limit of a minute, the signal before it"
job=$(submit --output.folder="$dir/cut" --threads=1 --time 00:01:00 --grace 20)
wait_for 60 "job $job" in_state "$job" RUNNING
wait_for 60 "its first step" has_rows "$dir/cut" 1
grep -q "4 ranks, by SLURM" "$dir/cut.slurm/$job.rank-0.log" || die "rank 0 does not say that SLURM started 4 ranks"
[ "$(scontrol -o show job "$job" | grep -o 'NodeList=n[^ ]*' | head -1)" = "NodeList=n[1-2]" ] || die "it is not on both nodes"
step "running; wait for signal, requeue and the end"
wait_for 600 "the end of job $job" in_state "$job" "COMPLETED"
grep -q "stopped by signal in attempt 0" "$dir/cut.slurm/$job.log" || die "the signal did not stop attempt 0"
grep -q "resuming from" "$dir/cut.slurm/$job.rank-0.log" || die "the requeued job did not resume"
same_numbers "$dir/cut" "$dir/whole" "signalled and requeued"
step "signalled, requeued, resumed: the same bytes. The job's log:"
sed 's/^/   /' "$dir/cut.slurm/$job.log" >&2

step "cancel"
job=$(submit --output.folder="$dir/cancelled" --threads=1)
wait_for 60 "its first steps" has_rows "$dir/cancelled" 3
scancel "$job"
wait_for 60 "the end of the cancelled job" in_state "$job" "CANCELLED"
wait_for 30 "the ranks' end" no_ranks "$dir/cancelled"
ls "$dir/cancelled/checkpoints" | grep -q '^step-' || die "the cancelled run left no checkpoint"
say "   $(state_of "$job"), $(rows_of "$dir/cancelled") steps, $(ls "$dir/cancelled/checkpoints" | tail -1)"

step "a node is lost: its daemon and everything of its job are killed"
job=$(submit --output.folder="$dir/lost" --threads=1)
wait_for 60 "its first checkpoint" has_rows "$dir/lost" 25
lost=$(date +%s)
kill -9 "$(cat "$dir/slurmd-n2.pid")"
for rank in $(ranks_on n2 "$dir/lost"); do
  kill -9 "$(ps -o ppid= -p "$rank" | tr -d ' ')" "$rank" 2>/dev/null || true  # slurmstepd, which serves several ranks
done
wait_for 90 "the end of the other ranks" no_ranks "$dir/lost"
say "   the other ranks ended within $(($(date +%s) - lost)) s; what rank 0 said:"
grep -h "error" "$dir/lost.slurm/$job.rank-0.log" | sed 's/^/   /' >&2 || true
start_node n2
wait_for 120 "both nodes" both_idle
if ! in_state "$job" "PENDING" && ! in_state "$job" "RUNNING"; then
  say "   the job is $(state_of "$job"): it is submitted again"
  job=$(submit --output.folder="$dir/lost" --threads=1)
fi
wait_for 600 "the end of job $job" in_state "$job" "COMPLETED"
same_numbers "$dir/lost" "$dir/whole" "a node lost"
step "resumed after the loss: the same bytes"
say "PASSED: submit, 4 ranks over 2 nodes, signal, requeue, resume, cancel, a lost node"

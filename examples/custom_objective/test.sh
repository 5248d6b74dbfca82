#!/usr/bin/env bash
# Installs a finished build into a scratch prefix, builds the example against it as a user would, and runs it.
#   examples/custom_objective/test.sh BUILD
set -euo pipefail
build=$(cd "${1:?the folder of a finished build}" && pwd)
example=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"
cp -r "$example" "$scratch/source" # nothing but the installed package may be found
cmake -S "$scratch/source" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/configure.log"
cmake --build "$scratch/build" >"$scratch/build.log" || { cat "$scratch/build.log"; exit 1; }
"$scratch/prefix/bin/laconic" --version

# The published vector: four right answers of 100, 200, 300 and 400 tokens.
step='{"objective": {"name": "l_grpo", "l_grpo": {"budget_tokens": 1000}}, "groups": [{"completions": [
  {"reward": 1, "verdict": {"correct": true}, "length": 100}, {"reward": 1, "verdict": {"correct": true}, "length": 200},
  {"reward": 1, "verdict": {"correct": true}, "length": 300}, {"reward": 1, "verdict": {"correct": true}, "length": 400}]}]}'
output=$(tr -d '\n' <<<"$step" | "$scratch/build/custom_objective" score)
advantages=$(sed 's/.*"advantages":\[\[\([^]]*\)\].*/\1/' <<<"$output")
expected='1.1619 0.3873 -0.3873 -1.1619'
found=$(tr ',' '\n' <<<"$advantages" | xargs printf '%.4f ' | sed 's/ $//')
if [ "$found" != "$expected" ]; then
  echo "expected the advantages $expected, found $found in: $output" >&2
  exit 1
fi
echo "l_grpo: advantages $found"

# A wrong answer drops the group; the method's own fields are explained and checked like any other.
"$scratch/build/custom_objective" config explain objective.l_grpo.min_length_std | grep -q 'varies\|vary'
echo "the example builds and runs against the installed library"

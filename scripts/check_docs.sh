#!/usr/bin/env bash
# Compares what the repository says with what the program does: docs/configuration.md is the output of `laconic config
# reference`, and every file of configs/ passes `laconic config check`.
#   scripts/check_docs.sh [--write]     --write brings docs/configuration.md up to date
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
laconic=${BUILD:-build/release}/laconic
[ -x "$laconic" ] || { echo "$laconic is not built" >&2; exit 1; }
status=0
if [ "${1:-}" = --write ]; then
  "$laconic" config reference > docs/configuration.md
elif ! "$laconic" config reference | diff -u docs/configuration.md - | head -40; then
  echo "docs/configuration.md is out of date: run scripts/check_docs.sh --write" >&2
  status=1
fi
while read -r file; do
  "$laconic" config check "$file" > /dev/null || { echo "$file does not pass laconic config check" >&2; status=1; }
done < <(find configs -name '*.yaml' | sort)
exit $status

#!/usr/bin/env bash
# Sets up, builds everything and runs the tests.
#   scripts/test.sh [--quick] [PATTERN]
#     --quick    without the style gate
#     PATTERN    only tests whose name matches (ctest -R)
# Reference data of others is looked for in ../shared/data or LACONIC_TEST_DATA; tests that need it skip without it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"

select=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) select+=(-LE style) ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) say "unknown argument $1; expected --quick or a pattern"; exit 2 ;;
    *) select+=(-R "$1") ;;
  esac
  shift
done

ensure_packages
ensure_libtorch cpu
ensure_arrow
build_preset release
cd "$laconic_root/build/release"
# One at a time: each test uses the cores itself, and the style gate takes both.
exec ctest --output-on-failure --no-tests=error "${select[@]}"

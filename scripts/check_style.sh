#!/usr/bin/env bash
# Holds the code to .clang-format and .clang-tidy. This is the test `style`.
#   scripts/check_style.sh [format|tidy]     one of the two only
#
# JOBS=N             processes at a time (default: the processors)
# BUILD=DIR          a configured build folder, for its compile_commands.json (default: build/release)
# CLANG_FORMAT, CLANG_TIDY   other programs of these kinds; CI and the check-in use those of scripts/versions.txt
#
# All checks of .clang-tidy run, over every translation unit. How clang-tidy is kept fast: scripts/lib/tidy.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/tidy.sh"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
build=${BUILD:-build/release}
jobs=${JOBS:-$(nproc)}
clang_format=${CLANG_FORMAT:-clang-format}
clang_tidy=${CLANG_TIDY:-clang-tidy}
cache=$root/build/tidy-cache

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 2; }

sources() {
  local folder
  for folder in laconic tests examples; do
    if [ -d $folder ]; then find $folder -name '*.h' -o -name '*.cpp'; fi
  done | sort
}

check_format() {
  command -v "$clang_format" >/dev/null || die "$clang_format is not installed"
  local output bad
  output=$(sources | xargs -r -P "$jobs" -n 40 "$clang_format" --dry-run -Werror 2>&1) && return
  bad=$(sed -n 's/^\([^ :]*\.\(h\|cpp\)\):[0-9]*:.*/\1/p' <<<"$output" | sort -u)
  [ -n "$bad" ] || die "$clang_format failed: $output"
  say "clang-format: not as .clang-format has it:"
  say "$(sed 's/^/  /' <<<"$bad")"
  say "to format them: $clang_format -i $(tr '\n' ' ' <<<"$bad")"
  return 1
}

# Names brought in by a using-declaration or a namespace alias that the file does not use.
check_names() {
  local unused
  unused=$(sources | grep '\.cpp$' | xargs -r awk '
    function report() { for (name in line) if (uses[name] < 2) print file ":" line[name] ": `" name "` is not used" }
    FNR == 1 { if (file != "") report(); file = FILENAME; split("", line); split("", uses) }
    /^ *using [A-Za-z_:]*::[A-Za-z_]+;/ { name = $0; sub(/;.*/, "", name); sub(/.*::/, "", name); line[name] = FNR }
    /^ *namespace [A-Za-z_]+ = / { line[$2] = FNR }
    { count = split($0, word, /[^A-Za-z0-9_]+/); for (i = 1; i <= count; ++i) ++uses[word[i]] }
    END { if (file != "") report() }')
  [ -n "$unused" ] || return 0
  say "declarations without a use:"
  say "$(sed 's/^/  /' <<<"$unused")"
  return 1
}

case ${1:-all} in
  format) check_format ;;
  tidy)
    status=0
    check_names || status=1
    check_tidy || status=1
    exit $status
    ;;
  all)
    status=0
    check_format || status=1
    check_names || status=1
    check_tidy || status=1
    exit $status
    ;;
  --batch) tidy_batch "$2" ;;  # used by check_tidy
  *) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

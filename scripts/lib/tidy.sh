# clang-tidy over all translation units. Sourced by check_style.sh, which sets root, build, jobs, cache and clang_tidy.
#
# What costs time is not our code: of the 9.6 s that clang-tidy takes for a small file that includes JSON, 8.7 go into
# reading and matching the headers of others; nearly all of 45 s with LibTorch. Leaving checks out does not help enough
# (3.6 s and 17.5 s are for reading alone, times two hundred files). So:
#   * Files with the same compiler flags are checked in batches, as one translation unit, which pays for the headers
#     once. A batch holds no two files that define the same name in an unnamed namespace (batches.awk); a file that
#     does not compile in its batch all the same is taken out and checked alone.
#   * A file found clean is not checked again until it, a project header that it includes, its flags, .clang-tidy,
#     clang-tidy or these scripts change: build/tidy-cache holds an empty file per such state.
# Measured with two cores of an AMD EPYC machine that had other work as well: 200 files in 256 s (480 s of processor time)
# from nothing, 3 s when nothing has changed.
# Of the precompiled headers (cmake/LaconicPrecompiled.cmake) all units with LibTorch's headers get the largest, so that they
# may share batches; a copy in another place, since clang cannot read what GCC made of the original and yet would take it.
# (A precompiled header of clang's own saves a sixth for a file alone and next to nothing for a batch, since all of it is
# matched anyway.)

# "file <tab> command" for each source of the compilation database; one that is a batch (cmake/LaconicBatches.cmake) stands
# for the sources in it.
tidy_commands() {
  local database=$build/compile_commands.json
  [ -e "$database" ] || die "$database is missing: configure first (cmake --preset release)"
  awk -F'": "' -v root="$root" '
    function text(s) { sub(/",?$/, "", s); gsub(/\\\\/, "\001", s); gsub(/\\"/, "\"", s); gsub(/\001/, "\\", s); return s }
    /^ *"command": "/ { sub(/^ *"command": "/, ""); command = text($0) }
    /^ *"file": "/ {
      sub(/^ *"file": "/, "")
      file = text($0)
      if (file !~ /\/batches\/[^\/]*\/[^\/]*\.cpp$/) { print file "\t" command; next }
      while ((getline line < file) > 0) if (split(line, part, "\"") == 3) print root "/" part[2] "\t" command
      close(file)
    }' "$database"
}

# "file <tab> flags" for each source: the flags that clang-tidy needs, quoted for eval.
tidy_units() {
  local work=$1 file command words flags common line i precompiled header=$build/CMakeFiles/laconic_pch_torch.dir/cmake_pch.hxx
  precompiled=$cache/precompiled-$(sha256sum <"$header" | cut -c1-12).h
  cp "$header" "$precompiled"
  tidy_commands |
    while IFS=$'\t' read -r file command; do
      case $file in "$root"/laconic/* | "$root"/tests/* | "$root"/examples/*) ;; *) continue ;; esac
      [ -e "$file" ] || continue  # deleted since the last configuration
      eval "words=($command)"
      flags=()
      for ((i = 0; i < ${#words[@]}; ++i)); do
        case ${words[i]} in
          -isystem) flags+=("${words[i]}" "${words[i + 1]}"); i=$((i + 1)) ;;
          -include) i=$((i + 1)) ;;
          # Some libraries' users get these and others not, and they matter to nobody else: all get them, for equal flags.
          -DLACONIC_SOURCE_DIR=* | -DGTEST_* | -DBOOST_*) printf '%s\n' "${words[i]}" >>"$work/defines" ;;
          -D* | -I* | -m* | -std=*) flags+=("${words[i]}") ;;
        esac
      done
      case " ${flags[*]} " in *torch/include*) flags+=(-include "$precompiled") ;; esac
      printf '%s\t%s\n' "${file#"$root"/}" "${flags[*]@Q}"
    done >"$work/plain"
  mapfile -t common < <(sort -u "$work/defines")
  while IFS= read -r line; do printf '%s %s\n' "$line" "${common[*]@Q}"; done <"$work/plain"
}

# "file <tab> flags <tab> key": the key stands for all that the result depends on.
tidy_keys() {
  local units=$1 salt file flags state
  salt=$({ "$clang_tidy" --version; cat .clang-tidy; grep -hv '^ *#' scripts/check_style.sh scripts/lib/tidy.sh scripts/lib/batches.awk; } | sha256sum)
  { sources | xargs sha256sum; sources | xargs grep -H '^#include "'; } |
    awk -F'\t' -v units="$units" '
      # State of a file: its hash and those of all project files that it includes, directly or not.
      function visit(file,   list, n, i) {
        if (file in seen || !(file in hash)) return
        seen[file] = 1
        state = state " " hash[file]
        n = split(includes[file], list, " ")
        for (i = 1; i <= n; ++i) visit(list[i])
      }
      /^[^:]*:#include "/ { at = index($0, ":"); split($0, part, "\""); includes[substr($0, 1, at - 1)] = includes[substr($0, 1, at - 1)] " " part[2]; next }
      { hash[substr($0, 67)] = substr($0, 1, 64) }
      END {
        while ((getline line < units) > 0) {
          split(line, unit, "\t"); split("", seen); state = ""
          visit(unit[1])
          print line "\t" state
        }
      }' |
    while IFS=$'\t' read -r file flags state; do
      printf '%s\t%s\t%s\n' "$file" "$flags" "$(printf '%s' "$salt$file$flags$state" | sha256sum | cut -c1-40)"
    done
}

# Writes a batch (first line: flags; then "file <tab> key") with those lines of another whose file is, or is not, listed.
tidy_part() {  # tidy_part BATCH LIST is|not
  awk -F'\t' -v list="$2" -v want="$3" '
    BEGIN { while ((getline line < list) > 0) listed[line] = 1 }
    FNR == 1 || ($1 in listed) == (want == "is")' "$1"
}

# Checks the files of a batch, prints nothing, leaves findings in BATCH.findings and marks clean files.
tidy_batch() {
  local batch=$1 flags line key files=() keys=() target options=() i
  { read -r flags; while IFS=$'\t' read -r line key; do files+=("$line"); keys+=("$key"); done; } <"$batch"
  eval "flags=($flags)"
  target=$root/${files[0]}
  if [ ${#files[@]} -gt 1 ]; then
    target=$batch.cpp
    printf "#include \"$root/%s\"\n" "${files[@]}" >"$target"
    # What these would find is the batch itself.
    options=(--checks=-bugprone-suspicious-include,-bugprone-forward-declaration-namespace)
  fi
  if "$clang_tidy" --quiet --config-file="$root/.clang-tidy" --header-filter="^$root/(laconic|tests|examples)/" "${options[@]}" "$target" \
    -- "${flags[@]}" >"$batch.out" 2>"$batch.err"; then
    touch "${keys[@]/#/$cache/}"
    return
  fi
  sed -n "s|^$root/\([^: ]*\.cpp\):[0-9:]* error: .*\[clang-diagnostic-error.*|\1|p" "$batch.out" | sort -u >"$batch.uncompiled"
  if [ ${#files[@]} -gt 1 ] && grep -q '\[clang-diagnostic-error' "$batch.out"; then
    # Each of those alone; the others together, or one by one where the mistake is in a header.
    if ! [ -s "$batch.uncompiled" ] || [ "$(wc -l <"$batch.uncompiled")" -ge ${#files[@]} ]; then printf '%s\n' "${files[@]}" >"$batch.uncompiled"; fi
    i=0
    while read -r line; do
      i=$((i + 1))
      printf '%s\n' "$line" >"$batch.one"
      tidy_part "$batch" "$batch.one" is >"$batch.$i"
      tidy_batch "$batch.$i"
    done <"$batch.uncompiled"
    tidy_part "$batch" "$batch.uncompiled" not >"$batch.rest"
    [ "$(wc -l <"$batch.rest")" -lt 2 ] || tidy_batch "$batch.rest"
    return
  fi
  if [ -s "$batch.out" ]; then
    sed "s|^$root/||" "$batch.out" >"$batch.findings"
  else
    { echo "${files[0]}:1:1: error: clang-tidy failed on this file or one checked with it"; cat "$batch.err"; } >"$batch.findings"
  fi
  # A finding in a header leaves the batch unmarked, one in a .cpp that file alone.
  if ! [ -s "$batch.out" ] || grep -q '^[^ ]*\.h:[0-9:]* \(error\|warning\)' "$batch.findings"; then return; fi
  for ((i = 0; i < ${#files[@]}; ++i)); do
    grep -qF "${files[i]}:" "$batch.findings" || touch "$cache/${keys[i]}"
  done
}

check_tidy() {
  command -v "$clang_tidy" >/dev/null || die "$clang_tidy is not installed"
  local work start=$SECONDS total stale findings file flags key batch
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/run.XXXXXX")
  trap "rm -rf '$work'" EXIT
  : >"$work/defines"
  tidy_units "$work" >"$work/units"
  tidy_keys "$work/units" >"$work/keys"
  while IFS=$'\t' read -r file flags key; do
    if [ -e "$cache/$key" ]; then touch "$cache/$key"; else printf '%s\t%s\t%s\n' "$file" "$flags" "$key"; fi
  done <"$work/keys" >"$work/stale"
  find "$cache" -maxdepth 1 -type f -mtime +30 -delete
  total=$(wc -l <"$work/keys") stale=$(wc -l <"$work/stale")
  if [ "$stale" -gt 0 ]; then
    say "clang-tidy: $stale of $total files to check"
    awk -v work="$work" -v most_lines=5000 -f scripts/lib/batches.awk "$work/stale"
    # The longest first, so that the processors end together.
    for batch in "$work"/batch.*; do echo "$(($(wc -l <"$batch") + $(head -1 "$batch" | grep -c -- -include) * 40)) $batch"; done |
      sort -rn | cut -d' ' -f2- | xargs -d '\n' -P "$jobs" -n 1 "$root/scripts/check_style.sh" --batch
  fi
  # A header's finding is reported by each batch that includes it.
  findings=$(cat "$work"/*.findings 2>/dev/null | awk '/^[^ ]+:[0-9]+:[0-9]+: / { show = !seen[$0]++ } show')
  say "clang-tidy: $total files, $stale checked, $((total - stale)) unchanged since they were found clean; $((SECONDS - start)) s"
  if [ -z "$findings" ]; then
    while IFS=$'\t' read -r file flags key; do [ -e "$cache/$key" ] || die "clang-tidy gave no verdict on $file"; done <"$work/stale"
    return
  fi
  say "$findings"
  say "clang-tidy: $(grep -c '^[^ ]*:[0-9]*:[0-9]*: \(warning\|error\)' <<<"$findings") findings"
  return 1
}

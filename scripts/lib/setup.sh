# Set-up shared by the scripts: Debian packages, LibTorch, configure and build. Sourced, never run.
#
# Everything is checked first and done only where it is missing, so a second call costs a fraction of a second.
# LACONIC_LIBTORCH=DIR   use the LibTorch in DIR (a folder with include/ and lib/) and fetch nothing
# LACONIC_ARROW=DIR      use the Arrow in DIR (site-packages/pyarrow, or a prefix) for Parquet files and fetch nothing
# LACONIC_CACHE=DIR      where both are kept (default: $XDG_CACHE_HOME/laconic or ~/.cache/laconic)

laconic_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
laconic_versions=$laconic_root/scripts/versions.txt
laconic_cache=${LACONIC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/laconic}

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# The second and later columns of the lines of one kind in versions.txt.
versions_of() { awk -v kind="$1" '$1 == kind { $1 = ""; sub(/^ +/, ""); print }' "$laconic_versions"; }

have_pip() { python3 -m pip --version >/dev/null 2>&1; }

# Tries to install the optional packages that are missing: the sandbox of the verifier `code`.
ensure_optional_packages() {
  local package missing=() sudo=()
  for package in $(versions_of debian-optional); do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    say "going on without the optional packages: ${missing[*]}"
}

# Installs the Debian packages that are missing; without the right to do so it prints the command and stops.
ensure_packages() {
  local wanted missing=() package
  command -v dpkg-query >/dev/null || die "this set-up knows Debian and its derivatives only; install what scripts/versions.txt lists by hand, then build with cmake (README)"
  wanted=$(versions_of debian)
  if [ -z "${LACONIC_LIBTORCH:-}" ] && ! have_pip; then wanted+=" python3 python3-pip"; fi
  for package in $wanted; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    ensure_optional_packages
    return
  fi
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
      sudo=(sudo)
    else
      say "error: these Debian packages are missing, and installing them needs root. Run this, then try again:"
      say ""
      say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
      exit 1
    fi
  fi
  say "installing Debian packages: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq || die "apt-get update failed"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
  ensure_optional_packages
}

# download_wheels FOLDER ADVICE: wheels (lines "name==version hash" on standard input), hashes checked, three tries; what
# to do when all fail is the advice.
download_wheels() {
  local folder=$1 list=$1/wheels.txt name hash try quiet=(-q)
  while read -r name hash; do printf '%s --hash=sha256:%s\n' "$name" "$hash"; done >"$list"
  if [ -t 2 ]; then quiet=(); fi
  for try in 1 2 3; do
    # pip verifies the hashes; the platform is pinned, so any Python 3 with pip can fetch them.
    if python3 -m pip download "${quiet[@]}" --disable-pip-version-check --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
      --implementation cp --python-version "$(versions_of wheel-python)" --abi "cp$(versions_of wheel-python)" --abi none \
      $(for tag in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_18 manylinux2014 manylinux_2_17 manylinux2010 manylinux_2_12; do
        printf -- '--platform %s_%s ' "$tag" "$(versions_of wheel-machine)"; done) \
      -d "$folder" -r "$list" >&2; then
      return
    fi
    say "the download failed (try $try of 3)"
    sleep 2
  done
  die "$2"
}

# fetch_libtorch cpu|cuda FOLDER: a site-packages tree with what that flavour needs, complete or not there at all.
fetch_libtorch() {
  local flavour=$1 target=$2 partial=$2.partial wheel
  [ "$(uname -m)" = "$(versions_of wheel-machine)" ] ||
    die "LibTorch is pinned for $(versions_of wheel-machine), this machine is $(uname -m); set LACONIC_LIBTORCH to a LibTorch for it"
  local need_mib=2600
  [ "$flavour" = cuda ] && need_mib=7500
  local free_mib
  free_mib=$(df -Pm "$laconic_cache" | awk 'NR == 2 { print $4 }')
  [ "$free_mib" -ge "$need_mib" ] || die "$laconic_cache has $free_mib MiB free, but fetching LibTorch ($flavour) needs $need_mib MiB; set LACONIC_CACHE to a larger disk"
  rm -rf "$partial"
  mkdir -p "$partial/wheels" "$partial/site"
  say "downloading LibTorch ($flavour) into $laconic_cache, once per user"
  {
    versions_of wheel
    if [ "$flavour" = cuda ]; then versions_of wheel-cuda; fi
  } | download_wheels "$partial/wheels" \
    "LibTorch could not be downloaded; check the network, or point LACONIC_LIBTORCH at a LibTorch that is there already"
  say "unpacking"
  for wheel in "$partial"/wheels/*.whl; do
    local members=()
    if [ "$flavour" = cpu ]; then
      case $(basename "$wheel") in
        torch-*) members=('torch/include/*' torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1 '*/licenses/LICENSE*') ;;
        nvidia_cuda_runtime-*) members=('*/libcudart.so.*') ;;
        nvidia_cuda_cupti-*) members=('*/libcupti.so.*') ;;
      esac
    fi
    unzip -q -o "$wheel" "${members[@]}" -d "$partial/site" >&2 || { [ $? -eq 11 ] && [ "$flavour" = cpu ]; } || die "unpacking $(basename "$wheel") failed (is the disk full?)"
    rm -f "$wheel"
  done
  # An archive does not carry the executable bits that pip sets.
  find "$partial/site/nvidia" -path '*/bin/*' -type f -exec chmod +x {} + 2>/dev/null || true
  [ -e "$partial/site/torch/lib/libtorch_cpu.so" ] || die "the torch wheel did not contain lib/libtorch_cpu.so"
  mv "$partial/site" "$target"
  rm -rf "$partial"
}

# The folder that a flavour is kept in. Its name carries the versions: a changed list is fetched anew, clones with one
# list share one folder.
libtorch_folder() {
  local flavour=$1 version
  version=$({ versions_of wheel; if [ "$flavour" = cuda ]; then versions_of wheel-cuda; fi; } | sha256sum | cut -c1-12)
  printf '%s\n' "$laconic_cache/libtorch-$(versions_of wheel | sed -n 's/^torch==\([^ ]*\).*/\1/p')-$flavour-$version"
}

have_libtorch() { [ -n "${LACONIC_LIBTORCH:-}" ] || [ -e "$(libtorch_folder "$1")" ]; }

# Sets LIBTORCH_ROOT for cpu or cuda.
ensure_libtorch() {
  local flavour=$1
  if [ -n "${LACONIC_LIBTORCH:-}" ]; then
    [ -e "$LACONIC_LIBTORCH/lib/libtorch_cpu.so" ] && [ -d "$LACONIC_LIBTORCH/include/torch" ] ||
      die "LACONIC_LIBTORCH=$LACONIC_LIBTORCH: expected a folder with lib/libtorch_cpu.so and include/torch"
    LIBTORCH_ROOT=$(cd "$LACONIC_LIBTORCH" && pwd)
    return
  fi
  local target
  target=$(libtorch_folder "$flavour")
  if [ ! -e "$target" ]; then
    mkdir -p "$laconic_cache" || die "$laconic_cache cannot be made; set LACONIC_CACHE"
    exec 9>"$laconic_cache/lock"
    flock 9  # another clone may be fetching the same
    [ -e "$target" ] || fetch_libtorch "$flavour" "$target"
    exec 9>&-
  fi
  LIBTORCH_ROOT=$target/torch
}

# The libraries and headers of Arrow, complete or not there at all.
fetch_arrow() {
  local target=$1 partial=$1.partial
  [ "$(uname -m)" = "$(versions_of wheel-machine)" ] ||
    die "Arrow is pinned for $(versions_of wheel-machine), this machine is $(uname -m); set LACONIC_ARROW to an Arrow for it"
  rm -rf "$partial"
  mkdir -p "$partial/wheels" "$partial/site"
  say "downloading Arrow, for Parquet files, into $laconic_cache, once per user"
  versions_of wheel-arrow | download_wheels "$partial/wheels" \
    "Arrow could not be downloaded; check the network, or point LACONIC_ARROW at an Arrow that is there already" || exit 1
  unzip -q -o "$partial"/wheels/pyarrow-*.whl 'pyarrow/include/*' 'pyarrow/libarrow.so.*' 'pyarrow/libparquet.so.*' '*/licenses/*' \
    -d "$partial/site" >&2 || die "unpacking Arrow failed (is the disk full?)"
  mv "$partial/site" "$target"
  rm -rf "$partial"
}

# ensure_arrow [required]: sets ARROW_ROOT. Without Arrow everything works but for Parquet files, so that a download
# that fails is told, and ends the set-up only where Parquet was asked for.
ensure_arrow() {
  if [ -n "${LACONIC_ARROW:-}" ]; then
    [ -d "$LACONIC_ARROW/include/parquet" ] || die "LACONIC_ARROW=$LACONIC_ARROW: expected a folder with include/parquet"
    ARROW_ROOT=$(cd "$LACONIC_ARROW" && pwd)
    return
  fi
  local target
  target=$laconic_cache/arrow-$(versions_of wheel-arrow | sed -n 's/^pyarrow==\([^ ]*\).*/\1/p')
  if [ ! -e "$target" ]; then
    mkdir -p "$laconic_cache" || die "$laconic_cache cannot be made; set LACONIC_CACHE"
    exec 9>"$laconic_cache/lock"
    flock 9  # another clone may be fetching the same
    if ! { [ -e "$target" ] || (fetch_arrow "$target"); }; then
      [ "${1:-}" != required ] || exit 1
      say "going on without Parquet; scripts/setup.sh --parquet tries again"
    fi
    exec 9>&-
  fi
  ARROW_ROOT=
  if [ -e "$target" ]; then ARROW_ROOT=$target/pyarrow; fi
}

# build_preset PRESET [TARGET...]: configures where that has not been done with this LibTorch and Arrow, then builds.
build_preset() {
  local preset=$1 folder=$laconic_root/build/$1 jobs memory_gib target targets=()
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  if [ ! -e "$folder/build.ninja" ] || ! grep -qxF "LIBTORCH_ROOT:PATH=$LIBTORCH_ROOT" "$folder/CMakeCache.txt" ||
    { [ -n "${ARROW_ROOT:-}" ] && ! grep -qxF "LACONIC_ARROW:PATH=$ARROW_ROOT" "$folder/CMakeCache.txt"; }; then
    say "configuring build/$preset"
    # Arrow is looked for again: what was found before may be another one, or none.
    (cd "$laconic_root" && cmake --preset "$preset" "-DLIBTORCH_ROOT:PATH=$LIBTORCH_ROOT" ${ARROW_ROOT:+"-DLACONIC_ARROW:PATH=$ARROW_ROOT"} \
      -U 'ArrowParquet_*' --log-level=WARNING >&2) || die "cmake failed"
  fi
  # A compiler process with LibTorch's headers takes up to 2 GiB.
  memory_gib=$(awk '/^MemTotal/ { print int($2 / 1048576) }' /proc/meminfo)
  jobs=$(nproc)
  if [ "$jobs" -gt $((memory_gib / 2 + 1)) ]; then jobs=$((memory_gib / 2 + 1)); fi
  (cd "$laconic_root" && cmake --build "$folder" -j "$jobs" "${targets[@]}" >&2) || die "the build failed"
}

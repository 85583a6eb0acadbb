#!/usr/bin/env bash
# Installs what is missing to build and run latentd on Debian 12. Usage: deploy/setup.sh [--tests] [--golden] [--peers]
# [--report]
#
#   (nothing)  what `make` and `make demo` need: compiler, libraries, the Fashion-MNIST package, curl
#   --tests    and what `make check` needs: cmocka, clang, Node, Chromium, …
#   --golden   and what `make golden` needs: PyTorch, scikit-learn, Optuna
#   --peers    and what `make bench-peers` needs: PyTorch, and the libraries that make it fast; `make bench-tuner`: Optuna
#   --report   and what `make report` needs: PyTorch, numpy, matplotlib
#
# Asks dpkg what is there and touches nothing when nothing is missing. As root it calls apt-get; else sudo when that works
# without a password or somebody is at the terminal to type one; else it prints the one line for an administrator.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(gcc make pkg-config libc6-dev libmicrohttpd-dev libcjson-dev libpng-dev libarchive-dev libsqlite3-dev zlib1g-dev nettle-dev
  librandom123-dev libyaml-dev cmark-gfm dataset-fashion-mnist curl)
test_packages=(libcmocka-dev clang libclang-rt-14-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross shellcheck jq chromium)
golden_packages=(python3-torch python3-sklearn python3-optuna python3-scipy)
# PyTorch multiplies matrices with what stands in for libblas: without OpenBLAS the reference, ten times slower.
peer_packages=(python3-torch libopenblas0-pthread libjemalloc2 python3-optuna python3-scipy)
report_packages=(python3-torch libopenblas0-pthread python3-numpy python3-matplotlib)
tests=no

die() {
  echo "setup: $*" >&2
  exit 1
}

has_node() {
  local version
  version=$(node --version 2>/dev/null) && command -v npm >/dev/null && version=${version#v} && [ "${version%%.*}" -ge 18 ]
}

while [ $# -gt 0 ]; do
  case $1 in
    --tests)
      tests=yes
      packages+=("${test_packages[@]}")
      has_node || packages+=(nodejs npm)
      ;;
    --golden) packages+=("${golden_packages[@]}") ;;
    --report) packages+=("${report_packages[@]}") ;;
    --peers) packages+=("${peer_packages[@]}") ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) die "unknown option '$1' (known: --tests, --golden, --peers, --report)" ;;
  esac
  shift
done

# Without dpkg: say what is needed, by the names that every distribution knows, unless it is all there.
elsewhere() {
  local lacking=() module
  command -v cc >/dev/null || lacking+=("a C compiler (gcc 12 or clang 14, or newer)")
  command -v curl >/dev/null || lacking+=(curl)
  command -v cmark-gfm >/dev/null || lacking+=("cmark-gfm (https://github.com/github/cmark-gfm)")
  for module in libmicrohttpd libcjson libpng libarchive sqlite3 zlib nettle yaml-0.1; do
    pkg-config --exists "$module" 2>/dev/null || lacking+=("$module with its headers")
  done
  [ -e /usr/include/Random123/philox.h ] || [ -e /usr/local/include/Random123/philox.h ] ||
    lacking+=("Random123 (headers only: https://github.com/DEShawResearch/random123)")
  [ ${#lacking[@]} -eq 0 ] && return
  {
    echo "setup: this is not Debian, so please install by hand:"
    printf '  %s\n' "${lacking[@]}"
    echo "and then get the data set: deploy/fetch-data.sh downloads the four files of Fashion-MNIST and checks them."
  } >&2
  exit 1
}

missing() {
  local package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  local lacking run=()
  mapfile -t lacking < <(missing)
  [ ${#lacking[@]} -gt 0 ] || return 0
  echo "setup: missing: ${lacking[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
      run=(sudo -n)
    elif [ -t 0 ] && command -v sudo >/dev/null; then
      run=(sudo)
    else
      echo "setup: no root and no sudo here; an administrator can install them with:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${lacking[*]}" >&2
      exit 1
    fi
  fi
  run+=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
  # Lists may be stale or absent; an update that fails (no network, a local cache) may still leave all that is needed.
  "${run[@]}" update || echo "setup: apt-get update failed; trying with the lists there are" >&2
  "${run[@]}" install -y --no-install-recommends "${lacking[@]}" || die "apt-get could not install: ${lacking[*]}"
}

# The browser tests' modules, exactly as locked; again only when the lock file has changed.
install_modules() {
  local lock=tests/web/package-lock.json stamp=tests/web/node_modules/.installed
  [ -e "$lock" ] || return 0
  cmp -s "$lock" "$stamp" && return 0
  echo "setup: npm ci in tests/web"
  (cd tests/web && npm ci --no-audit --no-fund --loglevel=error) || die "npm ci failed in tests/web"
  cp "$lock" "$stamp"
}

if command -v dpkg-query >/dev/null; then
  install_packages
else
  elsewhere
fi
if [ "$tests" = yes ]; then
  install_modules
fi

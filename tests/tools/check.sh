#!/usr/bin/env bash
# The checks in order, cheapest first, and their sum. Usage: check.sh quick|full
#
#   quick  what a change wants to know at once: unit tests (also in double) and the short scenarios
#   full   everything: also lint, all scenarios, the browser, and the unit tests and scenarios under ASan/UBSan and TSan
#
# A step that fails does not keep the others from running. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export TALLY=$PWD/build/tally
mkdir -p build
: > "$TALLY"
began=$SECONDS

say() { printf '\n== %s (%d s)\n' "$1" "$((SECONDS - began))"; }

# build MODE TARGET...: counted as a test, so that a build that fails cannot look like nothing to do.
build() {
  local mode=$1 log=build/build-$1.log
  shift
  if make --no-print-directory -j"$(nproc)" MODE="$mode" "$@" > "$log" 2>&1; then
    echo "1 0" >> "$TALLY"
  else
    echo "0 1" >> "$TALLY"
    echo "FAILED make MODE=$mode $*:"
    grep -aE 'error|warning|undefined|No rule' "$log" | head -n 20 | sed 's/^/    /'
    tail -n 10 "$log" | sed 's/^/    | /'
    return 1
  fi
}

# The unit tests of a mode, one a line; the long ones are the server's, and come first so that both processors stay busy. Threads
# meet in the server, in the pool and in a training step: the others have nothing to tell a thread sanitizer, nor have those of the
# server's that follow one job on one thread.
unit_tests() {
  find tests/server tests/core tests/api -name '*.c' | while read -r test; do
    case $1:$test in
      double:*_double.c) ;;
      double:* | *_double.c) continue ;;
      tsan:*/resume.c | tsan:*/fork.c | tsan:*/checkpoint.c | tsan:*/blob.c | tsan:*/store/recover.c) continue ;;
      tsan:tests/server/* | tsan:*/model/step.c | tsan:*/model/train.c | tsan:*/pool.c) ;;
      tsan:*) continue ;;
    esac
    echo "build/$1/${test%.c}"
  done
}

# Three at a time, as the server's wait for the disk.
unit() {
  local tests
  say "unit tests, $1"
  mapfile -t tests < <(unit_tests "$1")
  build "$1" "${tests[@]}" || return
  JOBS=3 tests/tools/run.sh "build/logs/unit-$1" "${tests[@]}"
}

# ahead MODE TARGET...: what a later step will build, with what of the processors is left. It tells what failed.
ahead() { nice -n 15 make --no-print-directory -k -j2 MODE="$1" "${@:2}" > "build/ahead-$1.log" 2>&1; }

# Compilers beside scenarios, which wait a third of their time. Not beside the browser, whose frames are counted.
aside() {
  local mode tests
  TEST_TIMEOUT=900 nice -n 15 tests/tools/run.sh build/logs/lint tests/tools/lint.sh
  for mode in double asan tsan; do
    mapfile -t tests < <(unit_tests "$mode")
    if [ "$mode" != double ]; then tests+=(all); fi
    ahead "$mode" "${tests[@]}"
  done
  ahead release cross-arm64
}

# scenarios MODE [REGEX]: those whose names it matches
scenarios() {
  local mode=$1 which=${2:-.} tests
  say "scenarios, $mode"
  build "$mode" all || return
  if [ "$mode" = release ]; then build release build/release/kf.so || return; fi
  mapfile -t tests < <(find tests/e2e -name '[0-9]*.sh' | grep -E "/($which)" | sort)
  LATENTD=build/$mode/latentd JOBS=${JOBS:-1} tests/tools/run.sh "build/logs/e2e-$mode" "${tests[@]}"
}

browser() {
  local tests
  say "browser"
  # The largest files are the longest tests: first, so that none of them is left to run alone.
  mapfile -t tests < <(ls -S tests/web/*.test.mjs)
  LATENTD=build/release/latentd JOBS=3 tests/tools/run.sh build/logs/web "${tests[@]}"
}

quick() {
  unit release
  unit double
  scenarios release '0[1-5]'
}

full() {
  say "lint, and what later steps need, beside the next two"
  build release all && { aside & }
  unit release
  JOBS=2 scenarios release
  wait
  build release cross-arm64
  browser
  unit double
  # The same bits are the kernels' business, which neither sanitizer makes others; races need jobs that run, edits and kills.
  unit asan
  SLOW=1 JOBS=3 scenarios asan '0[1-47-9]|1|33-several'
  unit tsan
  SLOW=1 JOBS=3 scenarios tsan '0[34578]|16-edit|33-several'
}

"$1"
awk -v s=$((SECONDS - began)) '{p += $1; f += $2} END {printf "\n(%d s)\n%d passed, %d failed\n", s, p, f; exit f > 0 || p == 0}' "$TALLY"

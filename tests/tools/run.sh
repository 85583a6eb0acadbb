#!/usr/bin/env bash
# Runs tests and counts their TAP lines. Usage: [JOBS=2] [TALLY=FILE] run.sh LOGDIR TEST...
#
# A TEST is an executable that prints TAP (cmocka does when asked), or a *.mjs for node's runner. JOBS of them run at a time.
# Everything a test prints goes to LOGDIR; a failing test's log is shown. A test that dies, or prints no result at all,
# counts as one failure. A skipped one ("# SKIP", which cmocka prints behind "not ok") is told and counts as neither. The last
# line is "N passed, N failed", which is also added to the file TALLY.
set -u
logs=$1
shift
mkdir -p "$logs"
rm -f "$logs"/*.count
export logs CMOCKA_MESSAGE_OUTPUT=TAP

run_one() {
  local test=$1 name start status ok not_ok skipped note='' verdict=ok command=("$1")
  name=$(printf '%s' "${test#build/}" | tr '/' '_')
  local log=$logs/$name.log
  case $test in *.mjs) command=(node --test --test-reporter=tap "$test") ;; esac
  start=$(date +%s%N)
  timeout -k 10 "${TEST_TIMEOUT:-300}" "${command[@]}" > "$log" 2>&1 < /dev/null
  status=$?
  ok=$(grep -aE '^ *ok [0-9]' "$log" | grep -cv ' # SKIP')
  not_ok=$(grep -aE '^ *not ok [0-9]' "$log" | grep -cv ' # SKIP')
  skipped=$(grep -caE '^ *(not )?ok [0-9].* # SKIP|^# skipped: ' "$log")
  if [ "$not_ok" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((ok + skipped)) -eq 0 ]; }; then not_ok=1; fi
  echo "$ok $not_ok" > "$logs/$name.count"
  if [ "$not_ok" -gt 0 ]; then verdict=FAILED; fi
  if [ "$skipped" -gt 0 ]; then note=", $skipped skipped"; fi
  printf '%-6s %6.1f s  %s (%d passed, %d failed%s, exit %d)\n' "$verdict" \
    "$((($(date +%s%N) - start) / 100000000))e-1" "$test" "$ok" "$not_ok" "$note" "$status"
  if [ "$not_ok" -gt 0 ]; then
    # What failed first, then how it ended.
    grep -anE -A 4 '^ *not ok [0-9]' "$log" | head -n 60 | sed 's/^/    /'
    tail -n 25 "$log" | sed 's/^/    | /'
  fi
}
export -f run_one

# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\0' "$@" | xargs -0 -P "${JOBS:-1}" -I '{}' bash -c 'run_one "$1"' run '{}'
read -r passed failed tests <<< "$(cat "$logs"/*.count | awk '{p += $1; f += $2} END {print p + 0, f + 0, NR}')"
# A runner that was killed has left no count.
failed=$((failed + $# - tests))
if [ -n "${TALLY:-}" ]; then echo "$passed $failed" >> "$TALLY"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

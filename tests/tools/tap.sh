# tap.sh: results of a shell test as TAP. Source it; end with `finish`.
# shellcheck shell=bash

tap_count=0
tap_failed=0

ok() {
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1"
}

# not_ok NAME [DETAIL]
not_ok() {
  tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1))
  echo "not ok $tap_count - $1"
  if [ -n "${2-}" ]; then printf '%s\n' "$2" | head -n 40 | cut -c 1-400 | sed 's/^/#   /'; fi
}

# A skipped test is said, and not counted as passed.
skip() { echo "# skipped: $1 ($2)"; }

# is GOT WANTED NAME
is() {
  if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got    $1
wanted $2"; fi
}

# like GOT EXTENDED_REGEX NAME
like() {
  if grep -qE -- "$2" <<< "$1"; then ok "$3"; else not_ok "$3" "got          $1
wanted match $2"; fi
}

# check NAME COMMAND...: passes when the command does.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$output"; fi
}

finish() {
  echo "1..$tap_count"
  [ "$tap_failed" -eq 0 ]
  exit
}

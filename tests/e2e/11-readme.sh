#!/usr/bin/env bash
# The README's examples, run as printed: every sh block that follows a line "<!-- run -->".
. "$(dirname "$0")/lib.sh"
if [ -n "$SLOW" ]; then
  ok "the README's examples are for the release build"
  finish
fi
start
# The text says localhost:7117; this daemon has another port.
mkdir "$T/bin" "$T/work"
real=$(command -v curl)
printf '#!/bin/sh\nexec %s -q --connect-to localhost:7117:127.0.0.1:%s "$@"\n' "$real" "$port" > "$T/bin/curl"
chmod +x "$T/bin/curl"

awk '/^<!-- run -->/ {armed = 1; next} armed && /^```sh/ {on = 1; next} /^```/ {on = armed = 0} on' README.md > "$T/examples"
examples=0
while IFS= read -r line; do
  case $line in '' | '#'*) continue ;; esac
  examples=$((examples + 1))
  output=$(cd "$T/work" && PATH="$T/bin:$PATH" timeout 120 bash -c "set -o pipefail; $line" 2>&1 < /dev/null)
  code=$?
  if [ "$code" -eq 0 ] && ! grep -q '"status": *4[0-9][0-9]' <<< "$output"; then
    ok "$line"
  else
    not_ok "$line" "exit code $code
$output"
  fi
done < "$T/examples"
check "at least five examples" [ "$examples" -ge 5 ]
for picture in "$T"/work/*.png; do
  like "$(png_size "$picture")" '^[0-9]+x[0-9]+$' "${picture##*/} is a picture"
done
like "$(png_size "$T/work/z.png")" '^[0-9]+x' "z.png was made"
stop
finish

#!/usr/bin/env bash
# The manual: its pages are served, its links lead somewhere, and its examples run as printed: each block of sh in web/docs/*.md, in
# the order of its contents, and the curl line of each operation in the reference of the API.
. "$(dirname "$0")/lib.sh"
if [ -n "$SLOW" ]; then
  ok "the manual's examples are for the release build"
  finish
fi
start
# The text says localhost:7117; this daemon has another port. An answer of 400 and more is a failure.
mkdir "$T/bin" "$T/work" "$T/pages"
real=$(command -v curl)
printf '#!/bin/sh\nexec %s -q --fail-with-body --no-progress-meter --max-time 60 --connect-to localhost:7117:127.0.0.1:%s "$@"\n' "$real" "$port" > "$T/bin/curl"
chmod +x "$T/bin/curl"

mapfile -t pages < <(awk '!/^#/ {print $1}' web/docs/contents.txt)
check "a dozen pages" [ "${#pages[@]}" -ge 12 ]

# --- served ---------------------------------------------------------------------------------------------------------------
get /docs
like "$status $(header Location)" '^308 /docs/$' "/docs leads to the folder, so that links are relative to it"
get /docs/
like "$status $(header Content-Type) $(grep -c '<h1 id="start-here">' "$T/body")" '^200 text/html; charset=utf-8 1$' "its first page"
like "$(header Content-Security-Policy)" "default-src 'self'|default-src 'none'" "under the page's own policy"
for page in "${pages[@]}"; do
  get "/docs/$page.html"
  cp "$T/body" "$T/pages/$page.html"
  if [ "$status" != 200 ] || [ "$(grep -c '<h1 ' "$T/body")" != 1 ] || grep -qE 'style="|onclick=|raw HTML omitted' "$T/body"; then
    not_ok "/docs/$page.html is a page" "$status
$(grep -nE '<h1 |style="|onclick=|raw HTML' "$T/body" | cut -c 1-200)"
  fi
done
check "none of them goes to the network" bash -c "! grep -lE '(src|<link[^>]* href)=\"https?:' $T/pages/*.html"
get /docs/nothing.html
is "$status" 404 "no other page"

# --- links ------------------------------------------------------------------------------------------------------------------
# PAGE TARGET: a line each, once.
links() {
  for page in "${pages[@]}"; do
    grep -oE '(href|src)="[^"]*"' "$T/pages/$page.html" | sed -E 's/^[a-z]+="(.*)"$/\1/' | sort -u | sed "s/^/$page /"
  done
}
dead=
declare -A seen
while read -r page target; do
  case $target in https:* | http:* | ../#/*) continue ;; esac
  file=${target%%#*}
  anchor=${target#"$file"}
  if [ -n "$file" ] && [ -z "${seen[$file]:-}" ]; then
    get "/docs/$file" --path-as-is
    case $file in ../*) get "/${file#../}" ;; esac
    seen[$file]=$status
  fi
  [ -z "$file" ] || [ "${seen[$file]}" = 200 ] || dead+="$page: $target is ${seen[$file]}"$'\n'
  to=${file:-$page.html}
  if [ -n "$anchor" ] && [ -f "$T/pages/$to" ] && ! grep -qF "id=\"${anchor#\#}\"" "$T/pages/$to"; then dead+="$page: $target: no such place"$'\n'; fi
done < <(links)
is "$dead" "" "every link leads somewhere"

# --- examples ---------------------------------------------------------------------------------------------------------------
# blocks FILE: writes each block of sh to $T/block.LINE, and prints those lines.
blocks() {
  awk -v to="$T/block." '/^```sh$/ {on = 1; file = to NR; print NR; next} /^```/ {on = 0} on {print > file}' "$1"
}
examples=0
for page in "${pages[@]}"; do
  source=web/docs/$page.md
  [ -f "$source" ] || source=build/release/$source
  for line in $(blocks "$source"); do
    examples=$((examples + $(grep -c '^curl ' "$T/block.$line")))
    if ! output=$(set -o pipefail; cd "$T/work" && PATH="$T/bin:$PATH" timeout 120 bash -euo pipefail "$T/block.$line" 2>&1 < /dev/null | tr -d '\0' | tail -c 1500); then
      not_ok "$page.md, the example at line $line" "$output"
    fi
  done
done
check "seventy examples ran" [ "$examples" -ge 70 ]
for picture in "$T"/work/*.png; do
  like "$(png_size "$picture")" '^[0-9]+x[0-9]+$' "${picture##*/} is a picture"
done

# --- the reference of the API -------------------------------------------------------------------------------------------------
# Each line is understood: no field, format or address in it is wrong. That a run of this kind and state has what is asked for is
# another matter. What would take the examples' ground away, or needs a file, is left out.
submit '{"kind":"ae","params":{"epochs":14,"train_limit":1000}}'
settle "$job"
post /v1/queue/pause '' # what they submit need not run
# shellcheck disable=SC2016
sed -n '/^```text$/{n;/^curl /p}' build/release/web/docs/api.md > "$T/reference"
check "an example for each operation" [ "$(wc -l < "$T/reference")" -ge 60 ]
wrong=
while IFS= read -r line; do
  case $line in *'-X DELETE'* | *' FILE '* | */queue/resume) continue ;; esac
  output=$(cd "$T/work" && PATH="$T/bin:$PATH" timeout 60 bash -c "${line//latest/$job}" 2>&1 < /dev/null | tr -d '\0' | tail -c 600)
  if grep -qE '"status":(400|405|406|411|415|5)|nothing is at|"errors":|invalid_' <<< "$output"; then wrong+="$line"$'\n'"$output"$'\n'; fi
done < "$T/reference"
is "$wrong" "" "the API reference's examples are understood"
stop
finish

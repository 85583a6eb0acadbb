#!/usr/bin/env bash
# Checks of the text of the project, as TAP: floors, headers that stand alone, scripts, vendored files, routes in the API
# document. Usage: tests/tools/lint.sh (from anywhere; build/release/latentd is used when it is there).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh

# The project's own files of a name; those of npm are not.
sources() { find core api server web deploy tests .ci -name node_modules -prune -o -type f -name "$1" -print | sort; }

floors() { { sources '*.[ch]' && find web -name vendor -prune -o -name '*.js' -print; } | xargs awk -f tests/tools/floors.awk; }

# A checker that finds nothing must be able to find something: each planted fault has to be named.
planted() {
  local root path include expected
  root=$(mktemp -d)
  while IFS='|' read -r path include expected; do
    mkdir -p "$root/$(dirname "$path")"
    printf '#include %s\n' "$include" > "$root/$path"
    : > "$root/${path%.c}.h"
    if ! (cd "$root" && awk -f "$OLDPWD/tests/tools/floors.awk" "$path") | grep -qF "$expected"; then
      echo "not noticed: $path including $include"
    fi
    rm "$root/$path"
  done << 'END'
core/base/x.c|"core/kern/kern.h"|core/base may not include core/kern
core/kern/x.c|"core/nn/net.h"|core/kern may not include core/nn
core/nn/x.c|"core/data/png.h"|core/nn may not include core/data
core/data/x.c|"core/nn/net.h"|core/data may not include core/nn
core/model/x.c|"api/json.h"|core/model may not include api
core/model/x.c|"core/lab/judge.h"|core/model may not include core/lab
core/lab/x.c|"api/json.h"|core/lab may not include api
api/x.c|"server/store/store.h"|api may not include server
server/x.c|"tests/x.h"|on no floor
server/x.c|"core/base/err.h"|the first include must be "server/x.h"
server/x.c|<cjson/cJSON.h>|has its door elsewhere
core/data/x.c|<png.h>|has its door elsewhere
core/data/x.c|<archive.h>|has its door elsewhere
server/x.c|<archive_entry.h>|has its door elsewhere
core/data/x.c|<zlib.h>|has its door elsewhere
server/x.c|<sqlite3.h>|has its door elsewhere
server/x.c|<microhttpd.h>|has its door elsewhere
api/x.c|<nettle/sha2.h>|has its door elsewhere
core/nn/x.c|<Random123/philox.h>|has its door elsewhere
core/model/x.c|<time.h>|has its door elsewhere
END
  mkdir -p "$root/web/lib" && echo "import { view } from '../views/run.js';" > "$root/web/lib/x.js"
  (cd "$root" && awk -f "$OLDPWD/tests/tools/floors.awk" web/lib/x.js) | grep -q 'may not import from views' || echo "not noticed: a view in web/lib"
  { echo 'int f(void)' && echo '{' && yes '	;' | head -n 71 && echo '}'; } > "$root/long.c"
  (cd "$root" && awk -f "$OLDPWD/tests/tools/floors.awk" long.c) | grep -q 'function of 71 lines' || echo "not noticed: a long function"
  yes '' | head -n 601 > "$root/long.c"
  (cd "$root" && awk -f "$OLDPWD/tests/tools/floors.awk" long.c) | grep -q 'more than 600 lines' || echo "not noticed: a long file"
  rm -r "$root"
}

# Each header compiles by itself, one compiler call for all of them.
headers_alone() {
  local dir header
  dir=$(mktemp -d)
  while read -r header; do
    printf '#include "%s"\n' "$header" > "$dir/$(tr / _ <<< "$header").c"
  done < <(sources '*.h')
  # shellcheck disable=SC2046 # flags, not file names
  gcc -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Wno-unused -Werror -fsyntax-only \
    $(pkg-config --cflags sqlite3 libmicrohttpd libcjson libpng) "$dir"/*.c 2>&1
  rm -r "$dir"
}

scripts() {
  sources '*.sh' | xargs shellcheck -x .ci/run
}

vendored() {
  local sums
  while read -r sums; do
    (cd "$(dirname "$sums")" && sha256sum --check --quiet "$(basename "$sums")") 2>&1
  done < <(sources SHA256SUMS)
}

# "GET /v1/jobs/{job}", one a line, from the API document and from the daemon (the page and its files are no API).
documented_routes() {
  awk '
    /^paths:/ { on = 1; next }
    /^[a-z]/ { on = 0 }
    on && /^  \/[^ ]*:/ { path = $1; sub(/:$/, "", path) }
    on && /^    (get|post|put|patch|delete):/ { method = $1; sub(/:$/, "", method); print toupper(method), path }' api/openapi.yaml
}
served_routes() { build/release/latentd --dump-routes | awk '$2 != "/" && $2 != "/*" {print $1, $2}'; }
routes() { diff <(documented_routes | sort -u) <(served_routes | sort -u); }

# What must not be found, by name: a call whose output is not empty is a finding.
quiet() {
  local name=$1 output
  shift
  output=$("$@" 2>&1)
  if [ -z "$output" ]; then ok "$name"; else not_ok "$name" "$output"; fi
}

quiet "floors, doors, sizes" floors
quiet "the floors checker notices planted faults" planted
quiet "every header compiles alone" headers_alone
quiet "shellcheck" scripts
if command -v clang > /dev/null; then
  quiet "clang warns of nothing" make --no-print-directory -s CC=clang O=build/clang syntax
else
  skip "clang warns of nothing" "no clang here"
fi
quiet "vendored files are what their checksums say" vendored
if [ -x build/release/latentd ]; then
  quiet "routes served (>) and documented (<) are the same" routes
else
  skip "routes served and documented are the same" "no build/release/latentd"
fi
finish

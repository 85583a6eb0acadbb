#!/usr/bin/env bash
# deploy/setup.sh on machines that are not this one: stubs of dpkg-query, apt-get, id and sudo say what they are asked.
. "$(dirname "$0")/lib.sh"
mkdir "$T/bin"
for tool in bash true dirname sed env cmp cp cat; do ln -s "$(type -P $tool)" "$T/bin/$tool"; done
# stub NAME BODY
stub() {
  printf '#!/bin/bash\n%s\n' "$2" > "$T/bin/$1"
  chmod +x "$T/bin/$1"
}
# setup [ARGUMENT...]: sets code and output; what apt-get was asked is in $T/asked
setup() {
  : > "$T/asked"
  code=0
  output=$(PATH=$T/bin bash deploy/setup.sh "$@" 2>&1 < /dev/null) || code=$?
}
# shellcheck disable=SC2016 # expanded by the stubs
{
  stub dpkg-query 'for p; do :; done; case " $MISSING " in *" $p "*) exit 1 ;; esac; echo -n installed'
  stub apt-get 'echo "$@" >> '"$T"'/asked'
  stub id 'echo "$UID_WANTED"'
  stub sudo 'if [ "$SUDO" = yes ]; then shift; exec "$@"; else exit 1; fi'
  stub node 'echo v18.19.0'
  stub npm 'mkdir -p node_modules'
}
export MISSING='' UID_WANTED=0 SUDO=no

setup
is "$code $output $(cat "$T/asked")" '0  ' "nothing missing: nothing is done, nothing is said"
MISSING='libpng-dev curl'
setup
is "$code" 0 "as root: done"
is "$(cat "$T/asked")" "-q update
-q install -y --no-install-recommends libpng-dev curl" "only what is missing is installed"
MISSING='libcmocka-dev'
setup
is "$(cat "$T/asked")" "" "what tests need is left alone"
setup --golden
is "$(cat "$T/asked")" "" "also with --golden"
MISSING='python3-torch'
setup --golden
like "$(cat "$T/asked")" 'install.* python3-torch$' "which wants PyTorch"
MISSING='libjemalloc2 libcmocka-dev'
setup --peers
like "$(cat "$T/asked")" 'install.* libjemalloc2$' "and --peers an allocator"

UID_WANTED=1000
MISSING='libpng-dev curl'
setup
is "$code $(cat "$T/asked")" '1 ' "without root or sudo: nothing is done"
like "$output" '^  apt-get update && apt-get install -y --no-install-recommends libpng-dev curl$' "and the one line is printed"
SUDO=yes
setup
is "$code $(tail -n 1 "$T/asked")" '0 -q install -y --no-install-recommends libpng-dev curl' "sudo without a password is used"

# With --tests; a Node from elsewhere is good when it is new enough.
MISSING='libcmocka-dev nodejs npm'
SUDO=no
setup --tests
like "$output" 'install -y --no-install-recommends libcmocka-dev$' "a Node of one's own is kept"
stub node 'echo v16.20.0'
setup --tests
like "$output" 'install -y --no-install-recommends libcmocka-dev nodejs npm$' "an old one is not good enough"

UID_WANTED=0
stub apt-get 'exit 100'
setup --tests
is "$code" 1 "apt-get fails: so does setup"
like "$output" 'could not install: libcmocka-dev nodejs npm' "and says which"

rm "$T/bin/dpkg-query"
setup
is "$code" 1 "not Debian, libraries lacking"
like "$output" 'libmicrohttpd with its headers' "they are named"
like "$output" 'deploy/fetch-data.sh' "and where the data set comes from"
setup --wrong
is "$code" 1 "an unknown option is refused"
finish

#!/usr/bin/env bash
# deploy/fetch-data.sh, from a folder instead of the internet: whole, resumed, spoilt, refused.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/tools/tap.sh
set -u
source_dir=/usr/share/datasets/fashion-mnist
if [ ! -r $source_dir/train-images-idx3-ubyte.gz ]; then
  skip "fetch-data" "dataset-fashion-mnist is not installed"
  finish
fi
T=$(mktemp -d "${TMPDIR:-/tmp}/latentd-e2e.XXXXXX")
trap 'rm -rf "$T"' EXIT
labels=t10k-labels-idx1-ubyte.gz
images=t10k-images-idx3-ubyte.gz

# fetch [ARGUMENT...]: sets code and output.
fetch() {
  code=0
  output=$(LATENTD_DATA_URL=${from:-file://$source_dir} deploy/fetch-data.sh "$@" 2>&1) || code=$?
}
same() { diff -rq "$source_dir" "$1/fashion-mnist"; }

fetch "$T/a b"
is $code 0 "it downloads the four files"
check "they are the right ones, and nothing else is left" same "$T/a b"
like "$output" "start latentd with --dataset-dir $T/a b" "it says how to use them"
fetch "$T/a b"
is "$(wc -l <<< "$output")" 1 "a second run downloads nothing"

printf 'x' | dd of="$T/a b/fashion-mnist/$labels" bs=1 seek=100 conv=notrunc status=none
fetch "$T/a b"
is "$(grep -c ' bytes) from ' <<< "$output")" 1 "a spoilt file alone is downloaded again"
check "and is right then" same "$T/a b"

mv "$T/a b/fashion-mnist/$images" "$T/whole"
head -c 4000000 "$T/whole" > "$T/a b/fashion-mnist/$images.part"
fetch "$T/a b"
is "$code$(same "$T/a b")" 0 "a download that was cut off goes on"
rm "$T/a b/fashion-mnist/$images"
head -c 4000000 /dev/zero > "$T/a b/fashion-mnist/$images.part"
fetch "$T/a b"
is "$code$(same "$T/a b")" 0 "a spoilt beginning is thrown away"

mkdir "$T/wrong"
echo "moved" > "$T/wrong/train-images-idx3-ubyte.gz"
from=file://$T/wrong fetch "$T/b"
is $code 1 "a page instead of the file is an error"
like "$output" 'not the file it should be' "that says so"
like "$output" "train-images-idx3-ubyte.gz could not be downloaded.*26421856 bytes, SHA-256 b0564c3e" "and what is needed"
is "$(ls "$T/b/fashion-mnist")" "" "and leaves nothing"
from="file://$T/absent file://$source_dir" fetch "$T/b"
is "$code$(same "$T/b")" 0 "the second source serves where the first fails"

XDG_DATA_HOME=$T/xdg fetch
check "without DIR it goes to where the daemon looks" same "$T/xdg/latentd/datasets"
fetch --nonsense
is $code 1 "an unknown option is an error"
fetch a b
like "$output" 'usage' "so are two folders"
finish

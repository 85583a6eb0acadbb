#!/bin/sh
# Downloads Fashion-MNIST (four files, 31 MB) where Debian's dataset-fashion-mnist cannot be installed.
#
#   deploy/fetch-data.sh [DIR]
#
# The files go to DIR/fashion-mnist; then start latentd with --dataset-dir DIR. Without DIR they go to where latentd looks
# by itself: $XDG_DATA_HOME/latentd/datasets (~/.local/share/latentd/datasets). What is there and right is kept, a download that was
# cut off goes on where it stopped, and nothing gets its name before its size and SHA-256 were found right.
# LATENTD_DATA_URL names another folder to download from (http, https, or file where curl is there).
set -eu

# name, bytes, SHA-256: as in core/data/dataset_dir.c
files='
train-images-idx3-ubyte.gz 26421856 b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7
train-labels-idx1-ubyte.gz 29491 0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056
t10k-images-idx3-ubyte.gz 4422079 cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa
t10k-labels-idx1-ubyte.gz 5125 8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05
'
homes='
http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion
'
sources=${LATENTD_DATA_URL:-$homes}

die() {
  printf 'fetch-data: %s\n' "$*" >&2
  exit 1
}

# Is this the file it should be? right PATH BYTES SHA256
right() {
  [ -f "$1" ] && [ "$(wc -c < "$1")" -eq "$2" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$3" ]
}

# Adds to PATH what is missing of URL: download URL PATH
download() {
  if command -v curl > /dev/null; then
    if [ -t 2 ]; then meter=--progress-bar; else meter=--silent; fi
    curl --fail "$meter" --show-error --location --connect-timeout 15 --speed-limit 1000 --speed-time 30 --retry 3 \
      --continue-at - --output "$2" "$1"
  else
    wget --quiet --tries=3 --timeout=30 --continue --output-document="$2" "$1"
  fi
}

# A failed download keeps what came, for the next source or the next run; what is whole but wrong goes.
# try URL PART BYTES SHA256
try() {
  status=0
  download "$1" "$2" || status=$?
  if [ $status -eq 0 ] && right "$2" "$3" "$4"; then return 0; fi
  case $status in
    0) printf '  not the file it should be (size or SHA-256 differs)\n' >&2 && rm -f "$2" ;;
    33 | 36) rm -f "$2" ;; # curl: this source cannot go on in the middle
  esac
  return 1
}

# From the first source that has it, into $folder: fetch NAME BYTES SHA256
fetch() {
  part=$folder/$1.part
  if [ -f "$part" ] && [ "$(wc -c < "$part")" -ge "$2" ]; then rm -f "$part"; fi
  for source in $sources; do
    url=${source%/}/$1
    before=$(test -s "$part" && echo some || echo none)
    printf '  %s (%s bytes) from %s\n' "$1" "$2" "${source%/}"
    # a second time from the start, if it was what lay here before that spoilt the first
    if try "$url" "$part" "$2" "$3" || { [ "$before" = some ] && [ ! -e "$part" ] && try "$url" "$part" "$2" "$3"; }; then
      mv "$part" "$folder/$1" && return 0
    fi
  done
  return 1
}

main() {
  case ${1-} in
    -h | --help) sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p; }' "$0" && exit 0 ;;
    -*) die "unknown option $1; usage: fetch-data.sh [DIR]" ;;
  esac
  [ $# -le 1 ] || die "usage: fetch-data.sh [DIR]"
  command -v curl > /dev/null || command -v wget > /dev/null || die "neither curl nor wget is here: install one of them"
  command -v sha256sum > /dev/null || die "sha256sum is not here: install coreutils"
  dir=${1:-${XDG_DATA_HOME:-${HOME:?}/.local/share}/latentd/datasets}
  folder=$dir/fashion-mnist
  mkdir -p "$folder" || die "cannot make $folder"

  printf '%s\n' "$files" | while read -r name bytes sum; do
    if [ -z "$name" ] || right "$folder/$name" "$bytes" "$sum"; then continue; fi
    fetch "$name" "$bytes" "$sum" || die "$name could not be downloaded; what came so far is kept: run this again, or put \
the file into $folder yourself ($bytes bytes, SHA-256 $sum)"
  done || exit 1
  if [ $# -eq 1 ]; then use="start latentd with --dataset-dir $dir"; else use="latentd finds it there unless --data-dir is given"; fi
  printf 'Fashion-MNIST is in %s: %s\n' "$folder" "$use"
}

main "$@"

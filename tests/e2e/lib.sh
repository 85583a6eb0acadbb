# lib.sh: a daemon of its own for each scenario, and short words for talking to it. Source it first; end with `finish`.
#
# LATENTD names the binary, so that the same scenarios run under the sanitizers; SLOW=1 says that times mean nothing there.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the scenarios

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/tools/tap.sh
set -u
# The caller's settings stay outside.
unset "${!LATENTD_@}" STATE_DIRECTORY XDG_DATA_HOME CURL_HOME
LATENTD=${LATENTD:-build/release/latentd}
SLOW=${SLOW:-}
[ -x "$LATENTD" ] || { echo "Bail out! no $LATENTD: run make"; exit 1; }
T=$(mktemp -d "${TMPDIR:-/tmp}/latentd-e2e.XXXXXX")
D=$T/data
pid=
url=
daemon_log=$T/log
export ASAN_OPTIONS="detect_leaks=1:exitcode=99:log_path=$T/asan" TSAN_OPTIONS="exitcode=99:log_path=$T/tsan" \
  UBSAN_OPTIONS="print_stacktrace=1:exitcode=99:log_path=$T/ubsan"

# A job that ends in a second or two.
TINY='"params":{"epochs":2,"train_limit":'$((SLOW ? 500 : 2000))'}'

cleanup() {
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; fi
  # What a sanitizer found is a failure, also in a daemon that was killed later.
  local findings=0
  if compgen -G "$T/*san.*" > /dev/null; then
    cat "$T"/*san.*
    findings=1
  fi
  if [ "$tap_failed" -gt 0 ] && [ -s "$daemon_log" ]; then
    echo "# the end of the daemon's log:"
    tail -n 20 "$daemon_log" | cut -c 1-300 | sed 's/^/#   /'
  fi
  rm -rf "$T"
  if [ "$findings" -gt 0 ]; then exit 1; fi
}
trap cleanup EXIT

# images MANY: as many training images as take a useful time, in a build where a step takes ten times as long.
images() { echo $((SLOW ? $1 / 20 : $1)); }

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# few_test_images DIR: Fashion-MNIST with the first thousand of its ten thousand test images.
few_test_images() {
  local from=/usr/share/datasets/fashion-mnist to=$1/fashion-mnist
  mkdir -p "$to"
  ln -s "$from"/train-* "$to"
  { printf '\0\0\10\3\0\0\3\350\0\0\0\34\0\0\0\34' && zcat "$from/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c 784000; } \
    > "$to/t10k-images-idx3-ubyte"
  { printf '\0\0\10\1\0\0\3\350' && zcat "$from/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c 1000; } > "$to/t10k-labels-idx1-ubyte"
}

# Each job that ends is tested on all of them; a sanitizer has nothing new to say of most. WHOLE=1 (before sourcing): as it is.
sets=()
if [ -n "$SLOW" ] && [ -z "${WHOLE:-}" ]; then
  few_test_images "$T/few"
  sets=(--dataset-dir "$T/few")
fi

# launch [ARGUMENT...]: the daemon in the background, without waiting. Sets pid.
launch() {
  rm -f "$T/port"
  "$LATENTD" "${sets[@]}" --data-dir "$D" --listen 127.0.0.1:0 --port-file "$T/port" "$@" >> "$daemon_log" 2>&1 &
  pid=$!
}

# Waits until the launched daemon is ready. Sets url, port.
ready() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    kill -0 "$pid" 2>/dev/null || return 1
    if [ -s "$T/port" ]; then
      port=$(cat "$T/port")
      url=http://127.0.0.1:$port
      curl -q -sf -o /dev/null "$url/readyz" && return 0
    fi
    sleep 0.02
  done
  return 1
}

# start [ARGUMENT...]: ready, or the scenario ends here.
start() {
  launch "$@"
  if ! ready; then
    not_ok "the daemon starts" "$(tail -n 5 "$daemon_log")"
    finish
  fi
}

# stop: SIGTERM. Sets code, the daemon's exit code.
stop() {
  kill -TERM "$pid"
  code=0
  wait "$pid" || code=$?
  pid=
}

crash() {
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null
  pid=
}

# req METHOD PATH [CURL ARGUMENT...]: sets status, body (of text), and the files $T/head and $T/body.
req() {
  local method=$1 path=$2
  shift 2
  local how=(-X "$method")
  if [ "$method" = HEAD ]; then how=(--head); fi
  : > "$T/body" # curl leaves it alone when there is none
  status=$(curl -q -s -g --max-time 60 -o "$T/body" -D "$T/head" -w '%{http_code}' "${how[@]}" "$@" "$url$path")
  body=$(tr -d '\0' < "$T/body" | head -c 100000)
}
get() { req GET "$@"; }
# post PATH JSON [CURL ARGUMENT...]
post() {
  local path=$1 json=$2
  shift 2
  req POST "$path" -H 'Content-Type: application/json' --data-binary "$json" "$@"
}
# The value of a header of the last reply.
header() { sed -n "s/^$1: *//Ip" "$T/head" | tr -d '\r' | head -n 1; }
# A jq expression on the last reply.
j() { jq -c -r "$1" "$T/body" 2>&1; }

# await PATH JQ_EXPRESSION: asks until the expression is true of the reply, or for 30 s. Leaves the last reply.
await() {
  local limit=$(($(now_ms) + 30000))
  while get "$1" && [ "$(j "$2")" != true ] && [ "$(now_ms)" -lt $limit ]; do sleep 0.05; done
}

# submit JSON: sets job, or the scenario ends here.
submit() {
  post /v1/jobs "$1"
  job=$(j .id)
  if [ "$status" != 201 ]; then
    not_ok "a job is taken: $1" "$body"
    finish
  fi
}

# settle JOB: waits for its end; sets state.
settle() {
  local tries
  for ((tries = 0; tries < 10; tries++)); do
    req GET "/v1/jobs/$1?wait_s=50"
    state=$(j .status)
    case $state in succeeded | failed | cancelled) return ;; esac
  done
}

# What two equal runs have in common: the weights file and every series but the timings.
weights_sum() { curl -q -sf "$url/v1/jobs/$1/checkpoints/${2:-last}/weights" | sha256sum | cut -c 1-64; }
curve_sum() {
  curl -q -sf "$url/v1/jobs/$1/metrics?by=step&points=1000000" |
    jq -c '.series | del(.samples_per_s) | map_values({step, epoch, value})' | sha256sum | cut -c 1-64
}
fingerprint() { echo "$(weights_sum "$1") $(curve_sum "$1")"; }

# png_size FILE: "WIDTHxHEIGHT", or what the file is instead.
png_size() {
  if [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; then
    od -An -tu1 -j16 -N8 "$1" | awk '{print $1*16777216+$2*65536+$3*256+$4 "x" $5*16777216+$6*65536+$7*256+$8}'
  else
    echo "not a PNG: $(head -c 100 "$1" | tr -d '\0')"
  fi
}

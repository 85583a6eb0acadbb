#!/usr/bin/env bash
# From a fresh clone to pictures: installs what is missing, builds, starts latentd, trains an autoencoder on Fashion-MNIST,
# and leaves pictures in build/demo. On a terminal the daemon stays until Ctrl-C, so that the dashboard can be looked at;
# otherwise it is stopped and the script exits 0.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/build/demo
log=$out/latentd.log
daemon=
terminal=no
if [ -t 0 ] && [ -t 1 ]; then terminal=yes; fi
# Neither the caller's curl habits nor a proxy have a say in talking to this machine.
curl=(curl -q --noproxy '*' --silent --show-error --fail-with-body)

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '\ndemo: %s\n' "$*" >&2
  if [ -s "$log" ]; then
    echo "demo: the end of $log:" >&2
    tail -n 20 "$log" >&2
  fi
  exit 1
}

stop_daemon() {
  [ -n "$daemon" ] || return 0
  kill -TERM "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  daemon=
}
trap stop_daemon EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Starts latentd on the address and waits for /readyz. Returns the daemon's exit code if it ends instead.
start_on() {
  rm -f "$out/port"
  # Its own process group: Ctrl-C reaches this script only, which then asks the daemon once.
  set -m
  build/release/latentd --listen "$1" --port-file "$out/port" --data-dir "$out/data" > "$log" 2>&1 &
  set +m
  daemon=$!
  local tries code=0
  for ((tries = 0; tries < 200; tries++)); do
    if ! kill -0 "$daemon" 2>/dev/null; then
      wait "$daemon" || code=$?
      daemon=
      return "$((code ? code : 1))"
    fi
    if [ -s "$out/port" ]; then
      url=http://127.0.0.1:$(cat "$out/port")
      "${curl[@]}" "$url/readyz" > /dev/null 2>&1 && return 0
    fi
    sleep 0.05
  done
  fail "the daemon was not ready after 10 s"
}

start_daemon() {
  local code=0
  start_on 127.0.0.1:7117 || code=$?
  if [ "$code" -eq 69 ]; then
    echo "Port 7117 is taken; a free one will do."
    code=0
    start_on 127.0.0.1:0 || code=$?
  fi
  [ "$code" -ne 73 ] || fail "the data directory is in use: is another demo running?"
  [ "$code" -eq 0 ] || fail "the daemon did not start (exit code $code)"
}

# The first value of a key in the JSON object on stdin. Enough for ids and numbers, without a JSON tool to install.
field() { grep -o "\"$1\":[^,}]*" | head -n 1 | sed 's/^[^:]*://; s/"//g'; }

# A run of the demo that was interrupted has left its job on disk, and the daemon goes on with it: follow that one.
submit() {
  local body='{"kind":"ae","name":"demo","params":{"latent_dim":8,"epochs":10}}' reply
  reply=$("${curl[@]}" "$url/v1/jobs/demo" 2>/dev/null) || reply=
  case $(field status <<< "$reply") in
    queued | running)
      echo "Going on with the job of the last run."
      ;;
    *)
      echo "curl --json '$body' $url/v1/jobs"
      reply=$("${curl[@]}" -H 'Content-Type: application/json' -d "$body" "$url/v1/jobs") || fail "the job was refused: $reply"
      ;;
  esac
  job=$(field id <<< "$reply")
}

# One line of events.txt as a bar: "epoch 3/10  train_loss 0.01932 …"
draw_bar() {
  local epoch total rest bar
  read -r _ epoch rest <<< "$1"
  total=${epoch#*/} epoch=${epoch%/*}
  printf -v bar '%*s' $((40 * epoch / total)) ''
  printf '\r\033[K[%-40s] %s/%s  %s' "${bar// /#}" "$epoch" "$total" "$rest"
}

follow() {
  local line
  echo "curl -N $url/v1/jobs/$job/events.txt"
  while read -r line; do
    case $line in epoch\ *) ;; *) continue ;; esac
    if [ "$terminal" = yes ]; then draw_bar "$line"; else echo "$line"; fi
  done < <("${curl[@]}" -N "$url/v1/jobs/$job/events.txt" || true)
  if [ "$terminal" = yes ]; then echo; fi
  result=$("${curl[@]}" "$url/v1/jobs/$job?wait_s=600") || fail "the daemon does not answer"
  [ "$(field status <<< "$result")" = succeeded ] || fail "the job did not succeed: $result"
}

picture() { "${curl[@]}" -o "$out/$1" "$url/$2" || fail "no $1: $(head -c 500 "$out/$1")"; }

pictures() {
  local z
  picture reconstructions.png "v1/jobs/$job/reconstructions.png?scale=2"
  picture samples.png "v1/jobs/$job/samples.png?scale=2"
  picture curves.svg "v1/jobs/$job/curves.svg?log=1"
  picture curves.png "v1/jobs/$job/curves.png?log=1"
  # One vector: the code of the first test image.
  z=$("${curl[@]}" -H 'Content-Type: application/json' "$url/v1/models/$job/encode" \
    -d '{"dataset":"fashion-mnist","split":"test","indices":[0]}' | sed 's/.*"z":\[\[\([^]]*\)\]\].*/\1/') || fail "encode failed"
  picture decoded.png "v1/models/$job/decode.png?z=$z&scale=8"
}

report() {
  cat << END

Test MSE   $(grep -o '"test":{[^}]*}' <<< "$result" | field loss)
Pictures   $out/reconstructions.png   (originals above, reconstructions beneath)
           $out/samples.png
           $out/curves.svg
           $out/curves.png
           $out/decoded.png   (the latent vector of one test image, decoded)
Dashboard  $url/
Open again build/release/latentd --data-dir $out/data
END
}

mkdir -p "$out"
say "Packages"
deploy/setup.sh
# Debian's package has the data set; elsewhere it is downloaded to where this demo's daemon looks.
if [ ! -d /usr/share/datasets/fashion-mnist ]; then
  (umask 077 && deploy/fetch-data.sh "$out/data/datasets")
fi
say "Build"
make --no-print-directory -j"$(nproc)" all
say "Start"
start_daemon
echo "latentd is ready at $url"
say "Train"
submit
follow
pictures
report
if [ "$terminal" = yes ]; then
  printf '\nThe daemon stays until Ctrl-C.\n'
  trap 'echo; stop_daemon; exit 0' INT
  code=0
  wait "$daemon" || code=$?
  daemon=
  fail "the daemon ended by itself (exit code $code)"
fi

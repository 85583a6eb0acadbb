#!/usr/bin/env bash
# How long one decode takes over HTTP while nothing, one job or three train, how much sixty a second slow training down, and how three
# equal jobs share the compute threads. Usage: tests/bench/decode.sh [COUNT] [ROUNDS]; LATENTD names the binary. Takes about a minute.
# One connection, one request at a time, as a slider does. ROUNDS pairs of windows of WINDOW_S each, with and without decodes, in
# turn, so that what else happens on the machine is in both. curl waits a little longer than asked: 72 come to 60.
. "$(dirname "$0")/../e2e/lib.sh"
count=${1:-2000} rounds=${2:-6} window_s=${WINDOW_S:-3}
NET='"latent_dim":8,"epochs":100000,"preview_every_epochs":0'
start --workers 3

# decodes WHAT GOAL: each request another vector, so that nothing is answered from a cache.
decodes() {
  curl -q -s -o /dev/null -w '%{time_total} %{http_code}\n' "$url/v1/models/model/decode.png?z=[1-$count]e-4,0,0,0,0,0,0,0" > "$T/times"
  awk '$2 != 200 {bad++} {print $1 * 1000} END {if (bad) print bad " failed" > "/dev/stderr"}' "$T/times" | sort -n |
    awk -v what="$1" -v goal="$2" '{t[NR] = $1} END {
      printf "%-22s %6d decodes: p50 %5.2f  p90 %5.2f  p99 %5.2f  max %6.2f ms  (goal: p99 < %s ms)\n",
        what, NR, t[int(NR * .5)], t[int(NR * .9)], t[int(NR * .99)], t[NR], goal}'
}
# Steps of a job so far.
steps() { curl -q -s "$url/v1/jobs/$1" | jq .progress.step; }
# window NAME: sets gained, the steps it takes in a window, and took_ms.
window() {
  local from begin
  from=$(steps "$1") begin=$(now_ms)
  sleep "$window_s"
  gained=$(($(steps "$1") - from)) took_ms=$(($(now_ms) - begin))
}
# Decodes that were answered so far.
answered() { curl -q -s "$url/metrics" | awk '/^latentd_decode_duration_seconds_count/ {n += $2} END {print n + 0}'; }
begin() {
  submit "{\"kind\":\"ae\",\"name\":\"$1\",\"params\":{$NET}}"
  await "/v1/jobs/$1" '.progress.step > 100'
}

submit '{"kind":"ae","name":"model","params":{"latent_dim":8,"epochs":1,"train_limit":2000}}'
settle model
decodes "nothing trains" 2
begin one
decodes "beside one job" 8

calm=0 calm_ms=0 busy=0 busy_ms=0 sent=0
for ((round = 1; round <= rounds; round++)); do
  window one
  calm=$((calm + gained)) calm_ms=$((calm_ms + took_ms))
  first=$(answered)
  curl -q -s --rate 72/s -o /dev/null "$url/v1/models/model/decode.png?z=[1-100000]e-5,$round,0,0,0,0,0,0" > /dev/null &
  slider=$!
  window one
  busy=$((busy + gained)) busy_ms=$((busy_ms + took_ms))
  kill "$slider"
  wait "$slider" 2> /dev/null
  sent=$((sent + $(answered) - first))
done
awk -v c=$calm -v cm=$calm_ms -v b=$busy -v bm=$busy_ms -v n=$sent 'BEGIN {
  printf "%.0f decodes a second: %.1f steps/s, without %.1f: %.1f %% slower (goal: <= 3 %%)\n",
    n * 1000 / bm, b * 1000 / bm, c * 1000 / cm, 100 * (1 - b * cm / (c * bm))}'

begin two
begin three
decodes "beside three jobs" 20
before=()
for name in one two three; do before+=("$(steps $name)"); done
sleep $((window_s * rounds))
i=0 after=()
for name in one two three; do
  after[i]=$(($(steps $name) - before[i]))
  i=$((i + 1))
done
awk -v a="${after[0]}" -v b="${after[1]}" -v c="${after[2]}" 'BEGIN {
  s = a + b + c; printf "three equal jobs: shares %.1f %.1f %.1f %% of the steps (goal: a third each)\n", 100*a/s, 100*b/s, 100*c/s}'
for name in one two three; do req POST "/v1/jobs/$name/cancel"; done
stop

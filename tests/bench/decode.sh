#!/usr/bin/env bash
# How long one decode takes over HTTP while a job trains. Usage: tests/bench/decode.sh [COUNT]; LATENTD names the binary.
# Prints the latency's percentiles in ms; one connection, one request at a time, as a slider does.
. "$(dirname "$0")/../e2e/lib.sh"
count=${1:-2000}
start
submit '{"kind":"ae","name":"busy","params":{"epochs":100000}}'
await /v1/models/busy '.kind == "ae"'
await /v1/jobs/busy '.progress.step > 200'
before=$(j .progress.step)
begin=$(now_ms)
# Each request another vector, so that nothing is answered from a cache.
curl -q -s -o /dev/null -w '%{time_total} %{http_code}\n' "$url/v1/models/busy/decode.png?z=[1-$count]e-4,0,0,0,0,0,0,0" > "$T/times"
took=$(($(now_ms) - begin))
get /v1/jobs/busy
echo "steps/s while decoding: $((($(j .progress.step) - before) * 1000 / (took + 1)))"
awk '$2 != 200 {bad++} {print $1 * 1000} END {if (bad) print bad " failed" > "/dev/stderr"}' "$T/times" | sort -n |
  awk '{t[NR] = $1} END {printf "%d decodes: p50 %.2f ms  p90 %.2f ms  p99 %.2f ms  max %.2f ms\n", NR, t[int(NR * .5)], t[int(NR * .9)], t[int(NR * .99)], t[NR]}'
req POST /v1/jobs/busy/cancel
stop

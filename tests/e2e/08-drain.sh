#!/usr/bin/env bash
# SIGTERM in the middle of a job: a checkpoint, streams ended, exit 0 soon; the next start goes on to the same bits.
. "$(dirname "$0")/lib.sh"
RUN='"seed":5,"params":{"epochs":6,"train_limit":'$(images 20000)'}'

start
submit "{\"kind\":\"ae\",$RUN}"
settle "$job"
calm=$(fingerprint "$job")
submit "{\"kind\":\"ae\",\"name\":\"drained\",$RUN}"
drained=$job

for round in 1 2 3; do
  await "/v1/jobs/$drained" ".progress.step > $((round * $(images 100)))"
  is "$(j .status)" running "round $round: it runs"
  curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$drained/events" > "$T/stream" &
  stream=$!
  sleep 0.1
  begin=$(now_ms)
  stop
  took=$(($(now_ms) - begin))
  is "$code" 0 "round $round: SIGTERM is a clean stop"
  check "round $round: after $took ms (< 10 s)" [ "$took" -lt 10000 ]
  wait "$stream"
  check "round $round: the stream was ended, not the job" [ "$(grep -c '^event: end' "$T/stream")" -eq 0 ]
  step=$(sed -n 's/^data: //p' "$T/stream" | jq -s '[.[].points[]?.step] | max // 0')
  start
done
await "/v1/jobs/$drained" '.status != "queued"'
check "it goes on from the checkpoint (step $(j .progress.step), $step seen)" [ "$(j .progress.step)" -ge "$step" ]
settle "$drained"
is "$state" succeeded "it ends by itself"
is "$(fingerprint "$drained")" "$calm" "with the bits of an undisturbed run"
stop
finish

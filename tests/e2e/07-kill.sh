#!/usr/bin/env bash
# kill -9 at any moment, many times: the job ends by itself with the bits of an undisturbed run, and event ids stay valid.
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS:-12}
if [ -n "$SLOW" ]; then KILLS=3; fi
RUN='"seed":5,"params":{"epochs":10,"train_limit":'$(images 20000)'}'

events() { curl -q -sf "$url/v1/jobs/$1/events?limit=100&order=desc" | jq -r '.data[0].seq'; }

# shake KIND KILLS: a run left in peace, then the same one under kills.
shake() {
  local kind=$1 most=$2 kills=0 seen=0 gaps='' calm calm_best span shaken held begin_ms
  submit "{\"kind\":\"$kind\",\"name\":\"$kind-calm\",$RUN}"
  settle "$job"
  is "$state" succeeded "$kind: the undisturbed run"
  calm=$(fingerprint "$job")
  calm_best=$(weights_sum "$job" best)
  begin_ms=$(j .started_at_ms)
  span=$(($(j .finished_at_ms) - begin_ms))
  submit "{\"kind\":\"$kind\",\"name\":\"$kind-shaken\",$RUN}"
  shaken=$job
  while [ "$kills" -lt "$most" ]; do
    # Anywhere between start-up and about three epochs on.
    sleep "$((RANDOM % (span / 4 + 100)))e-3"
    get "/v1/jobs/$shaken"
    [ "$(j .status)" = succeeded ] && break
    held=$(events "$shaken")
    [ "${held:-0}" -ge "$seen" ] || gaps+=" $held<$seen"
    seen=${held:-0}
    crash
    kills=$((kills + 1))
    start
  done
  ok "$kind: killed $kills times"
  settle "$shaken"
  is "$state" succeeded "$kind: it ends by itself"
  # A kill before the worker took the job up, or after the last step, makes no attempt.
  check "$kind: attempts are counted ($(j .attempt))" [ "$(j ".attempt > 1 and .attempt <= $kills + 1")" = true ]
  is "$gaps" "" "$kind: no event was taken back"
  is "$(fingerprint "$shaken")" "$calm" "$kind: weights and curve are those of the undisturbed run"
  is "$(weights_sum "$shaken" best)" "$calm_best" "$kind: so are the best weights"
  curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$shaken/events" | sed -n 's/^id: //p' > "$T/ids"
  is "$(cat "$T/ids")" "$(seq "$(wc -l < "$T/ids")")" "$kind: ids count from 1 without a gap"
  check "$kind: and go beyond the last one seen ($seen)" [ "$(tail -n 1 "$T/ids")" -ge "$seen" ]
}

start
shake ae "$KILLS"
shake vae "$(((KILLS + 2) / 3))"
stop
finish

#!/usr/bin/env bash
# kill -9 at any moment, many times: the job ends by itself with the bits of an undisturbed run, and event ids stay valid.
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS:-12}
EPOCHS=10
# What a sanitizer has to say of a kill and a restart, it says of the first ones.
if [ -n "$SLOW" ]; then KILLS=2 EPOCHS=7; fi
ALL="\"epochs\":$EPOCHS,\"train_limit\":$(images 20000)"
# Whatever has a state of its own: masks, a running mean beside the weights, trackers, masks of dropout, statistics of batches.
STATEFUL='"ema":0.99,"norm":"batch","dropout":0.1,"schedule":"plateau","lr_patience":0,
  "prune":{"start_epoch":2,"every":2,"end_epoch":6},"early_stopping":{"patience":3,"min_delta":0.0005}'

events() { curl -q -sf "$url/v1/jobs/$1/events?limit=100&order=desc" | jq -r '.data[0].seq'; }

# pictures JOB: checksums of its previews.
pictures() { (cd "$D/jobs/$1/previews" && sha256sum -- *.png); }

# shake WHAT KIND KILLS PARAMS: a run left in peace, then the same one under kills.
shake() {
  local what=$1 kind=$2 most=$3 params=$4 kills=0 seen=0 gaps='' calm calm_best calm_pictures span shaken held begin_ms
  submit "{\"kind\":\"$kind\",\"name\":\"$what-calm\",\"seed\":5,\"params\":{$params}}"
  settle "$job"
  is "$state" succeeded "$what: the undisturbed run"
  calm=$(fingerprint "$job")
  calm_best=$(weights_sum "$job" best)
  calm_pictures=$(pictures "$job")
  begin_ms=$(j .started_at_ms)
  span=$(($(j .finished_at_ms) - begin_ms))
  submit "{\"kind\":\"$kind\",\"name\":\"$what-shaken\",\"seed\":5,\"params\":{$params}}"
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
  ok "$what: killed $kills times"
  settle "$shaken"
  is "$state" succeeded "$what: it ends by itself"
  # A kill before the worker took the job up, or after the last step, makes no attempt.
  check "$what: attempts are counted ($(j .attempt))" [ "$(j ".attempt > 1 and .attempt <= $kills + 1")" = true ]
  is "$gaps" "" "$what: no event was taken back"
  is "$(fingerprint "$shaken")" "$calm" "$what: weights and curve are those of the undisturbed run"
  is "$(weights_sum "$shaken" best)" "$calm_best" "$what: so are the best weights"
  is "$(pictures "$shaken")" "$calm_pictures" "$what: so are the previews, each of them"
  curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$shaken/events" | sed -n 's/^id: //p' > "$T/ids"
  is "$(cat "$T/ids")" "$(seq "$(wc -l < "$T/ids")")" "$what: ids count from 1 without a gap"
  check "$what: and go beyond the last one seen ($seen)" [ "$(tail -n 1 "$T/ids")" -ge "$seen" ]
}

start
shake ae ae "$KILLS" "$ALL"
shake ae-stateful ae "$(((KILLS + 2) / 3))" "$ALL,$STATEFUL"
if [ -z "$SLOW" ]; then
  shake vae vae "$(((KILLS + 2) / 3))" "$ALL"
  # Singular vectors, signs of collapse and their roll-backs, verdicts.
  shake gan gan "$(((KILLS + 2) / 3))" "\"epochs\":6,\"train_limit\":2000,\"channels\":[8,4],\"discriminator_channels\":[4,8],
    \"judge_samples\":256,\"n_critic\":2,\"on_collapse\":\"rollback\",\"lr_g\":1e-9"
fi
stop
finish

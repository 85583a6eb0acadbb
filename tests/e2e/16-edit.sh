#!/usr/bin/env bash
# A job is changed while it waits and while it runs; killed after that, it ends with the bits of one that was not.
. "$(dirname "$0")/lib.sh"

patch() { req PATCH "/v1/jobs/$1" -H 'Content-Type: application/merge-patch+json' --data-binary "$2"; }
NET='"latent_dim":2,"channels":[4],"kernel":[3],"stride":[2],"padding":[1],"hidden":[8],"batch_size":32'
# vae EPOCHS IMAGES [NAME]
vae() { echo "{\"kind\":\"vae\",\"name\":\"${3:-v}\",\"seed\":3,\"metadata\":{\"a\":1,\"b\":{\"c\":2}},\"params\":{$NET,\"epochs\":$1,\"train_limit\":$2,\"lr\":1e-3}}"; }
messages() { get "/v1/jobs/$1/events?limit=1000" && jq -r '.data[] | select(.message) | .message' "$T/body"; }

start --workers 1
get /v1/kinds/vae
is "$(j '[.params.properties | to_entries[] | select(.value.live) | .key] | sort')" '["beta","epochs","lr"]' "the schema says what is live"

# The first occupies the worker.
submit "$(vae 50000 $((SLOW ? 1500 : 3000)) busy)"
busy=$job
await "/v1/jobs/$busy" '.progress.epoch > 0'
submit "$(vae 3 2000)"
patch "$job" '{"name":"w","priority":7,"metadata":{"a":null,"b":{"d":3}},"params":{"lr":0.0005,"epochs":2,"beta":2}}'
is "$status $(j '[.name, .priority, .metadata, .params.lr, .params.epochs, .params.beta, .progress.epochs]')" \
  '200 ["w",7,{"b":{"c":2,"d":3}},0.0005,2,2,2]' "a job that waits"
queued=$job
patch "$busy" '{"params":{"lr":0.002,"beta":0.5}}'
is "$status $(j '[.params.lr, .params.beta]')" '200 [0.002,0.5]' "a job that runs"
for ((i = 0; i < 100; i++)); do
  text=$(messages "$busy")
  if [[ $text = *0.002* ]]; then break; fi
  sleep 0.05
done
like "$text" '(lr 0.001 → 0.002, beta|beta 1 → 0.5, lr 0.001 → 0.002).* at step [0-9]+' "an event says when it took effect"
patch "$busy" '{"params":{"lr":0.002}}'
is "$status" 200 "the same again is nothing new"
patch "$busy" '{"name":null,"priority":null,"metadata":null}'
is "$(j '[.name, .priority, .metadata]')" '[null,0,{}]' "null takes away"
await "/v1/jobs/$busy" '.progress.epoch > 2'
while IFS="|" read -r sent code pointer words; do
  patch "$busy" "$sent"
  is "$status $(j '.errors[0].pointer')" "$code $pointer" "$sent is refused"
  like "$(j '.detail')" "$words" "with a reason"
done << 'END'
{"params":{"epochs":1}}|422|#/params/epochs|must be at least [0-9]+, as epoch [0-9]+ has begun; got 1
{"params":{"latent_dim":3}}|422|#/params/latent_dim|is fixed .* (beta|lr|epochs)
{"params":{"lrr":3}}|422|#/params/lrr|did you mean 'lr'
{"params":{"lr":"fast"}}|422|#/params/lr|must be a number
{"params":{"lr":null}}|422|#/params/lr|must be a number
{"params":{"lr":100}}|422|#/params/lr|must be 0..10, got 100
{"params":3}|422|#/params|must be an object
{"priority":2000}|422|#/priority|
{"name":"job_x"}|422|#/name|must not begin with job_
{"seed":3}|422|#/seed|unknown field
{"metadata":3}|422|#/metadata|
END
req PATCH "/v1/jobs/$busy" -H 'Content-Type: text/plain' --data-binary '{}'
is "$status" 415 "another type is refused"
patch nobody '{}'
is "$status" 404 "a job that is not there"
get "/v1/jobs/$busy"
soon=$(($(j .progress.epoch) + (SLOW ? 10 : 20)))
patch "$busy" "{\"params\":{\"epochs\":$soon}}"
is "$status $(j .progress.epochs)" "200 $soon" "fewer epochs"
settle "$busy"
like "$state $(j '[.progress.epoch, .params.epochs, .progress.step == .progress.steps]')" '^succeeded \['"$soon,$soon"',true\]$' "it ends sooner"
patch "$busy" '{"params":{"lr":0.1}}'
is "$status $(j .current)" '409 succeeded' "parameters of one that has ended stay"
patch "$busy" '{"name":"afterwards"}'
is "$status $(j .name)" '200 afterwards' "its name need not"
settle "$queued"
is "$(j '[.progress.epoch, .params.lr]')" '[2,0.0005]' "what waited ran as it was changed"
like "$(messages "$queued")" 'at step 0$' "from its first step on"
get "/v1/jobs/$queued/events?types=log"
is "$(j '[.data[] | select(.step != null) | .step]')" "[0]" "as a number, too"
get "/v1/jobs/$queued/metrics.csv?by=step&names=lr"
like "$body" '0.0005|5e-04' "with the new rate"
same=$(fingerprint "$queued")
post /v1/jobs "$(vae 2 2000 | jq -c '.params.lr = 0.0005 | .params.beta = 2')"
settle "$(j .id)"
is "$(fingerprint "$(j .id)")" "$same" "the bits of one submitted so"

# More epochs, and kills after it took effect. What had been done by the time of the first kill is done again, to the same bits:
# the curve that was told before and what the copy of the folder comes to by itself.
submit "$(vae 12 $((SLOW ? 2000 : 4000)))"
await "/v1/jobs/$job" '.progress.epoch >= 2'
patch "$job" '{"params":{"epochs":14,"lr":0.003}}'
patch "$job" '{"params":{"beta":0.25}}'
for ((i = 0; i < 100; i++)); do
  if [[ $(messages "$job") = *beta* ]]; then break; fi
  sleep 0.02
done
crash
cp -r "$D" "$T/copy"
for pause in 0.05 0.3 0.15; do
  start --workers 1
  sleep "$pause"
  crash
done
start --workers 1
settle "$job"
is "$state $(j '[.progress.epoch, .params.epochs, .params.lr, .params.beta]')" 'succeeded [14,14,0.003,0.25]' "killed after an edit, it ends as edited"
is "$(messages "$job" | grep -c '→')" 2 "each change is told once"
first=$(fingerprint "$job")
stop
D=$T/copy
start --workers 1 --threads 1
settle "$job"
is "$(fingerprint "$job")" "$first" "with the bits of one that was killed once only"
stop
finish

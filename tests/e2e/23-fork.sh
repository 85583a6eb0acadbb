#!/usr/bin/env bash
# A job goes on from a checkpoint of another: its curve and pictures begin as that one's, and unchanged it ends with its bits, killed or not.
. "$(dirname "$0")/lib.sh"
NET='"latent_dim":2,"channels":[4],"kernel":[3],"stride":[2],"padding":[1],"hidden":[8],"batch_size":32'

# fork REF JSON: sets job.
fork() {
  post "/v1/jobs/$1/fork" "$2"
  job=$(j .id)
}

start --workers 2
submit "{\"kind\":\"vae\",\"name\":\"v\",\"seed\":3,\"metadata\":{\"a\":1},\"params\":{$NET,\"epochs\":8,\"train_limit\":3000,\"schedule\":\"cosine\"}}"
parent=$job
settle "$parent"
whole=$(fingerprint "$parent") best=$(weights_sum "$parent" best) trained=$(j .train_s)
fork v '{"checkpoint":5,"name":"same","metadata":{"why":"test"}}'
is "$status $(header Location)" "201 /v1/jobs/$job" "a fork is a new job"
is "$(j "[.kind, .name, .seed, .from.job == \"$parent\", .from.checkpoint, .from.step == .progress.step, .metadata, .params.epochs]")" \
  '["vae","same",3,true,5,true,{"why":"test"},8]' "of the other's kind, seed and parameters"
check "its time counts the other's up to there" [ "$(j "(.lineage_train_s - .train_s) as \$t | \$t > 0 and \$t < $trained")" = true ]
step=$(j .from.step)
get "/v1/jobs/$job/metrics?by=step&points=1000000"
is "$(j "[.series.train_loss.step[:$step] == [range(1; $step + 1)], (.series.val_loss.step | length) >= 5]")" '[true,true]' "its curve begins as the other's"
get "/v1/jobs/$job/previews"
check "so do its pictures" [ "$(j '[.data[].epoch] | index(0) != null and index(5) != null')" = true ]
settle "$job"
is "$state $(fingerprint "$job") $(weights_sum "$job" best)" "succeeded $whole $best" "unchanged it ends with the other's bits"
fork v '{"checkpoint":2,"params":{"lr":0.01,"epochs":4,"beta":3}}'
is "$status $(j '[.params.lr, .params.epochs, .progress.epochs, .params.beta]')" '201 [0.01,4,4,3]' "with other parameters"
settle "$job"
is "$state $(j '[.progress.epoch, .best.epoch > 2]')" 'succeeded [4,true]' "it goes on with those"
get "/v1/jobs/$job/metrics.csv?by=step&names=lr"
is "$(wc -l < "$T/body")" $((1 + 4 * step / 5)) "from that step on"

fork v '{"checkpoint":5,"params":{"ema":0.9,"dropout":0.1,"prune":{"start_epoch":7}}}'
settle "$job"
is "$state $(j '[.params.ema, .params.dropout, .params.prune.start_epoch]')" 'succeeded [0.9,0.1,7]' "what was off is switched on there"
post "/v1/jobs/$job/verify" '{"checkpoint":5}'
is "$status $(j .verified)" '200 true' "and comes out so again"
get /v1/kinds/vae
is "$(j '[.params.properties | .latent_dim.fork, .ema.fork, .beta.fork, .beta.live, .lr.live, .ema.live]')" \
  '["fixed","free","loss",true,true,null]' "what may change is said by the schema"

get /v1/jobs
before=$(j '.data | length')
post "/v1/jobs/v/fork?validate_only=true" '{"checkpoint":5,"params":{"lr":0.01,"epochs":9},"name":"asked"}'
is "$status $(j '[.object, .kind, .name, .seed, .dataset, .params.lr, .params.latent_dim, .params.epochs, .estimate.epochs, .estimate.parameters > 0, .estimate.measured]')" \
  '200 ["estimate","vae","asked",3,"fashion-mnist",0.01,2,9,9,true,true]' "one may ask what a fork would be"
is "$(j ".from.job == \"$parent\" and .from.checkpoint == 5")" true "and from where it would go on"
get /v1/jobs
is "$(j '.data | length')" "$before" "without one"

while IFS="|" read -r sent code pointer words; do
  post "/v1/jobs/v/fork" "$sent"
  is "$status $(j '.errors[0].pointer')" "$code $pointer" "$sent is refused"
  like "$(j '.detail')" "$words" "with a reason"
  post "/v1/jobs/v/fork?validate_only=1" "$sent"
  is "$status $(j '.errors[0].pointer')" "$code $pointer" "and when one asks"
done << 'END'
{"checkpoint":"last"}|422|#/params/epochs|all 8 epochs are done; pass params.epochs > 8
{"checkpoint":5,"params":{"latent_dim":3}}|422|#/params/latent_dim|stays what it is in a fork
{"checkpoint":5,"params":{"optimizer":"sgd"}}|422|#/params/optimizer|stays what it is in a fork
{"checkpoint":5,"params":{"norm":"batch"}}|422|#/params/norm|stays what it is in a fork
{"checkpoint":20}|422|#/checkpoint|has no checkpoint '20'; it has epochs 1, 2, 3
{"seed":1}|422|#/seed|unknown field
END
post /v1/jobs/nobody/fork '{}'
is "$status" 404 "a job that is not there"

# Some of its steps again.
post /v1/jobs/v/verify '{}'
is "$status $(j '[.verified, .checkpoint, .steps, .difference]')" '200 [true,7,50,null]' "its steps come out as they did"
post /v1/jobs/v/verify "{\"checkpoint\":6,\"steps\":$((2 * step / 5))}"
is "$status $(j "[.verified, .checkpoints, .to_step == $((8 * step / 5)), .tensors > 20, .points > 200, (.sha256 | length)]")" \
  '200 [true,2,true,true,true,64]' "and each later checkpoint, bit by bit"
printf x | dd of="$D/jobs/$parent/checkpoints/epoch-000008.safetensors" bs=1 seek=9000 conv=notrunc status=none
post /v1/jobs/v/verify "{\"checkpoint\":7,\"steps\":$((step / 5))}"
is "$status $(j '[.verified, .difference.what]')" '200 [false,"file"]' "a damaged file is told"
post /v1/jobs/v/verify '{"checkpoint":3,"step":4}'
is "$status $(j '.errors[0].pointer')" "422 #/step" "an unknown field is refused"

# One key, one fork.
for wanted in '201 ' '201 true'; do
  post /v1/jobs/v/fork '{"checkpoint":5,"params":{"epochs":6},"name":"once"}' -H 'Idempotency-Key: k'
  is "$status $(header Idempotent-Replayed)" "$wanted" "with a key"
done
get '/v1/jobs?name=once'
is "$(j '.data | length')" 1 "one fork a key"

# Of one that runs, killed at any moment.
submit "{\"kind\":\"ae\",\"name\":\"long\",\"params\":{$NET,\"epochs\":40,\"train_limit\":$(images 8000)}}"
long=$job
await "/v1/jobs/$long/checkpoints" '(.data | length) >= 2'
fork long '{"checkpoint":2}'
is "$status" 201 "a fork of a job that runs"
shaken=$job
for ((i = 0; i < (SLOW ? 1 : 4); i++)); do
  sleep "$((RANDOM % 300))e-3"
  crash
  start --workers 2
done
settle "$shaken"
settle "$long"
is "$state $(fingerprint "$shaken")" "succeeded $(fingerprint "$long")" "killed again and again, both end with the same bits"
stop
finish

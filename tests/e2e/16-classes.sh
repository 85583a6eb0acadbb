#!/usr/bin/env bash
# Heads on the encoders of other jobs and classifiers from scratch: what they go on from, what they find, kills between.
. "$(dirname "$0")/lib.sh"
start
N=$(images 6000)

# refused BODY DETAIL_REGEX
refused() {
  post /v1/jobs "$1"
  like "$status $(j .detail)" "^422 .*$2" "$1"
}
refused '{"kind":"finetune"}' "needs 'from': a finished ae or vae; there is none here yet"
submit '{"kind":"ae","preset":"report","name":"base","params":{"epochs":3,"lr":5e-3,"latent_dim":6,"train_limit":'"$N"'}}'
base=$job
settle "$base"
base_s=$(j .train_s)
refused '{"kind":"finetune"}' "needs 'from': a finished ae or vae; newest here: $base"
refused '{"kind":"finetune","from":"nope"}' "no job 'nope'"
refused '{"kind":"finetune","from":"base@9"}' "has no checkpoint '9'; it has epochs 1, 2, 3"
refused '{"kind":"finetune","from":"base","dataset":"nope"}' "nope"
refused '{"kind":"ae","from":"base"}' "begins anew; leave it out"

post '/v1/jobs?validate_only=true' '{"kind":"finetune","from":"base@2"}'
is "$(j '[.from.job, .from.checkpoint, .dataset, .params.head, .params.epochs]')" "[\"$base\",2,\"fashion-mnist\",[64,288],20]" "validated: what it goes on from is found"

# head NAME PRESET PARAMS: a head on the base
head_of() {
  submit "{\"kind\":\"finetune\",\"preset\":\"$2\",\"name\":\"$1\",\"from\":\"base\",\"seed\":4,\"params\":{\"train_limit\":$N,$3}}"
}
head_of c2 class2 '"epochs":12,"lr":0.02'
settle "$job"
is "$(j '[.status, .from.job, .links.from]')" "[\"succeeded\",\"$base\",\"/v1/jobs/$base\"]" "a linear head on frozen codes"
is "$(j '[.test.loss > 0, .test.accuracy > 0.5, .generalisation_gap.metric, .best.metric]')" '[true,true,"loss","val_loss"]' "measured"
is "$(j "(.lineage_train_s - .train_s - $base_s | fabs) < 1e-3")" true "lineage_train_s counts the encoder's time"
get '/v1/jobs/c2/metrics?by=epoch'
is "$(j '.series | [.train_loss, .train_accuracy, .val_loss, .val_accuracy | .value | length]')" '[12,12,12,12]' "its series"
get /v1/models/c2
is "$(j '[.kind, .latent_dim, .abilities]')" '["finetune",6,["encode","classify"]]' "what it can do"
get "/v1/jobs/c2/checkpoints/1/weights"
cp "$T/body" "$T/weights"
length=$(od -An -tu8 -N8 "$T/weights" | tr -d ' ')
tail -c +9 "$T/weights" | head -c "$length" | jq . > "$T/names.json"
is "$(jq -c '[.__metadata__ | .base_kind, (.base_params | fromjson | .latent_dim)]' "$T/names.json")" '["ae",6]' "its file says what it stands on"
is "$(grep -c "$base" "$T/names.json")" 0 "without an id"
is "$(jq -c '[."head.0.weight".shape, ."encoder.9.weight".shape, has("decoder.0.weight")]' "$T/names.json")" '[[10,6],[6,64],false]' "encoder and head"

# Killed before and behind the epoch from which the encoder learns along: the same bits.
THAW='"epochs":8,"unfreeze_after":4,"augment":["hflip"],"dropout":0.1'
head_of calm class1 "$THAW"
settle "$job"
calm=$(fingerprint "$job")
head_of shaken class1 "$THAW"
shaken=$job
for epoch in 2 5; do
  await "/v1/jobs/$shaken" ".progress.epoch >= $epoch"
  crash
  start
done
settle "$shaken"
is "$state" succeeded "a run that was killed twice ends by itself"
is "$(fingerprint "$shaken")" "$calm" "with the bits of the undisturbed one"
stop
finish

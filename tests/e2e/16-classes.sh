#!/usr/bin/env bash
# Heads on the encoders of other jobs and classifiers from scratch: what they go on from, what they find, kills between.
# shellcheck disable=SC2016 # jq has variables of its own
. "$(dirname "$0")/lib.sh"
start
N=$(images 6000)
TESTED=$((SLOW ? 1000 : 10000))
LEAST=$([ -n "$SLOW" ] && echo 0 || echo 0.5) # a sanitizer has no time to teach more

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
head_of c2 class2 '"epochs":12'
settle "$job"
is "$(j '[.status, .from.job, .links.from]')" "[\"succeeded\",\"$base\",\"/v1/jobs/$base\"]" "a linear head on frozen codes"
is "$(j '[.test.loss > 0, .test.accuracy > '"$LEAST"', .generalisation_gap.metric, .best.metric]')" '[true,true,"loss","val_loss"]' "measured"
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

# The confusion matrix: rows are true classes; its figures follow from it.
get /v1/jobs/c2
accuracy=$(j .test.accuracy)
get /v1/jobs/c2/confusion
is "$(j '[(.labels|length), (.matrix|length), (.matrix|flatten|add)]')" "[10,10,$TESTED]" "a confusion matrix of the test images"
if [ -z "$SLOW" ]; then is "$(j '.matrix | map(add) | unique')" '[1000]' "as many of each class"; fi
is "$(j "[.accuracy, ([.matrix as \$m | range(10) | \$m[.][.]] | add / $TESTED)] | map(. - $accuracy | fabs < 1e-7)")" '[true,true]' "its diagonal is the accuracy"
is "$(j '.matrix as $m | .per_class | to_entries | all(.key as $k | .value as $v | $m[$k][$k] as $tp | ([$m[][$k]]|add) as $p | ($m[$k]|add) as $n |
  $v.support == $n and ($v.recall - $tp / $n | fabs) < 1e-7 and ($v.f1 - 2 * $tp / ($n + $p) | fabs) < 1e-7 and
  (if $p > 0 then ($v.precision - $tp / $p | fabs) < 1e-7 else $v.precision == null end))')" true "precision, recall and F1 follow from it"
matrix=$(j '.matrix[3] | join(",")')
get /v1/jobs/c2/confusion.csv
is "$(wc -l < "$T/body") $(sed -n 5p "$T/body")" "11 Dress,$matrix" "as CSV"
get /v1/jobs/c2/confusion.png
like "$(png_size "$T/body")" '^8[0-9][0-9]x8[0-9][0-9]$' "as a picture"
get /v1/jobs/base/confusion
like "$status $(j .code) $(j .detail)" '^422 not_supported_by_kind an ae has no classes; abilities: encode, decode, sample' "an ae has none"

some="{\"dataset\":\"fashion-mnist\",\"split\":\"test\",\"indices\":[$(seq -s, 0 99)]}"
post /v1/models/c2/classify "$some"
is "$(j '[(.predictions|length), (.predictions[0]|keys), (.predictions | all(.probabilities as $p | ($p|length) == 10 and ($p|add - 1 | fabs) < 1e-5 and $p[.class] == ($p|max)))]')" \
  '[100,["class","label","probabilities"],true]' "classify"
is "$(j '.predictions | map(select(.class == 9)) | map(.label) | unique | .[0] // "Ankle boot"')" "Ankle boot" "with the names of the classes"
post /v1/models/c2/encode "$some"
is "$(j '[(.z|length), (.z[0]|length)]')" '[100,6]' "encode"
post /v1/models/c2/decode '{"z":[[0,0,0,0,0,0]]}'
like "$status $(j .detail)" '^422 .*has no decoder; abilities: encode, classify' "but not decode"
post /v1/models/c2/sample '{}'
like "$status $(j .detail)" '^422 .*has no decoder; abilities: encode, classify' "nor sample"
get '/v1/models/c2/decode.png?z=0'
like "$status $(j .detail)" '^422 .*has no decoder' "nor decode by GET"
post /v1/models/base/classify "$some"
like "$status $(j .detail)" '^422 .*an ae has no classes' "an ae does not classify"

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

submit '{"kind":"classifier","preset":"report","name":"scratch","params":{"epochs":2,"train_limit":'"$N"'}}'
get "/v1/jobs/$job/confusion"
like "$status" '^409$' "before it has ended there is no confusion matrix"
settle "$job"
is "$(j '[.status, .test.accuracy > '"$LEAST"', .from]')" '["succeeded",true,null]' "a classifier from scratch"
get /v1/jobs/scratch/confusion
is "$(j '.matrix|flatten|add')" "$TESTED" "and its confusion matrix"

torch=$(for python in /usr/bin/python3 python3; do "$python" -c 'import torch, numpy' 2>/dev/null && echo "$python" && break; done)
if [ -n "$torch" ] && [ -z "$SLOW" ]; then
  "$torch" - "$T" << 'END'
import gzip, glob, sys, numpy as np
path = glob.glob("/usr/share/datasets/**/t10k-images-idx3-ubyte.gz", recursive=True)[0]
np.save(sys.argv[1] + "/images.npy", np.frombuffer(gzip.open(path).read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:100])
END
  for model in c2 shaken scratch; do
    for file in weights pytorch.py; do
      get "/v1/models/$model/$file"
      cp "$T/body" "$T/$file"
    done
    post "/v1/models/$model/classify.npy" "$some"
    cp "$T/body" "$T/ours.npy"
    check "$model: pytorch.py runs" "$torch" "$T/pytorch.py" "$T/weights" "$T/images.npy" "$T/theirs.npy"
    difference=$("$torch" -c 'import sys, numpy as np
a, b = (np.load(f) for f in sys.argv[1:])
print("%.1e" % np.abs(a - b).max(), int(a.shape == b.shape and np.abs(a - b).max() <= 1e-5))' "$T/ours.npy" "$T/theirs.npy")
    is "${difference#* }" 1 "$model: PyTorch's probabilities differ by ${difference% *} (<= 1e-5)"
  done
else
  skip "pytorch.py agrees with classify" "no PyTorch here, or a build that is too slow for it"
fi
stop
finish

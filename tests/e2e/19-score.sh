#!/usr/bin/env bash
# The judge: what it says of a model's samples, whom it refuses, and that it says the same again.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/sets/dots"
for split in train t10k; do
  python3 -c 'import struct,sys
n = 200
images = struct.pack(">IIII", 2051, n, 28, 28) + bytes((i * 7 + i // 784) % 256 for i in range(n * 784))
labels = struct.pack(">II", 2049, n) + bytes(i % 10 for i in range(n))
open(sys.argv[1] + "-images-idx3-ubyte", "wb").write(images)
open(sys.argv[1] + "-labels-idx1-ubyte", "wb").write(labels)' "$T/sets/dots/$split"
done
start --threads 2 --dataset-dir "$T/sets"

get /v1/info
is "$(j .evaluator.sha256)" "$(sha256sum core/lab/evaluator.safetensors | cut -c 1-64)" "the evaluator is the one in the tree"
is "$(j '.evaluator.accuracy >= 0.93')" true "and a good one"

N=$(images 6000)
submit '{"kind":"ae","preset":"report","name":"bad","params":{"epochs":1,"train_limit":500,"latent_dim":3}}'
submit '{"kind":"ae","preset":"report","name":"good","params":{"epochs":4,"lr":5e-3,"train_limit":'"$N"',"latent_dim":8}}'
settle "$job"
settle bad
# Twenty thousand images through the judge take a sanitizer minutes.
scores() {
  post /v1/models/good/score '{"count":1000,"seed":1}'
  is "$status" 200 "a score"
  cp "$T/body" "$T/good"
  is "$(j 'keys | map(select(. != "object" and . != "model")) | join(" ")')" \
    "class_kl class_shares classifier_score count coverage density distribution diversity duplicate_share evaluator fcd fcd_floor fcd_inf kid kid_sd min_share precision recall seed unsure_share" "its figures"
  is "$(j '[.count, .seed, .distribution, (.class_shares | length), ([.class_shares[]] | add - 1 | fabs < 1e-9), ([.class_shares[]] | min) == .min_share]')" \
    '[1000,1,"gmm",10,true,true]' "of what was asked for, in shares that add up"
  is "$(j '(.fcd_floor > 0) and (.fcd_floor < .fcd) and (.precision >= 0) and (.precision <= 1) and (.coverage <= 1) and (.classifier_score >= 1) and (.classifier_score <= 10)')" \
    true "in their ranges"
  like "$(header Latentd-Epoch)" '^4$' "of which epoch"
  post /v1/models/good/score '{"count":1000,"seed":1}'
  is "$(sha256sum < "$T/body")" "$(sha256sum < "$T/good")" "asked again: the same figures"
  post /v1/models/good/score '{"count":1000,"seed":2}'
  is "$(jq -s '.[0].fcd == .[1].fcd' "$T/body" "$T/good")" false "another seed: other samples"
  post /v1/models/bad/score '{"count":1000,"seed":1}'
  is "$(jq -s '.[0].fcd > 1.2 * .[1].fcd' "$T/body" "$T/good")" true "a net that has seen 500 images once is worse"
}
if [ -z "$SLOW" ]; then scores; fi

# refused MODEL BODY DETAIL_REGEX
refused() {
  post "/v1/models/$1/score" "$2"
  like "$status $(j .code) $(j .detail)" "^422 $3" "$1 $2"
}
refused good '{"count":999}' 'invalid_field .*must be 1000\.\.10000, got 999'
refused good '{"cols":3}' 'invalid_field .*cols'
refused good '{"distribution":"box"}' 'invalid_field .*must be one of auto'
submit '{"kind":"classifier","preset":"report","name":"labels","params":{"epochs":1,"train_limit":500}}'
settle labels
refused labels '{}' 'not_supported_by_kind a classifier has no decoder'

# Other images, the same form: the judge knows nothing of them.
submit '{"kind":"ae","preset":"report","name":"dots","dataset":"dots","params":{"epochs":1,"latent_dim":2}}'
settle "$job"
refused dots '{}' "no_judge the evaluator knows Fashion-MNIST only .*; dots was trained on 'dots'"
get /v1/models/dots/classes.png
is "$status $(j .code)" "422 no_judge" "nor does it sort them"
stop
if [ -n "$SLOW" ]; then finish; fi

start --threads 1
post /v1/models/good/score '{"count":1000,"seed":1}'
is "$(sha256sum < "$T/body")" "$(sha256sum < "$T/good")" "one thread, after a restart: the same figures"

get '/v1/models/good/classes.png?count=1000&seed=1'
like "$status $(png_size "$T/body")" '^200 7[0-9]*x6[0-9]*$' "a picture of each class"
cp "$T/body" "$T/sheet.png"
get '/v1/models/good/classes.png?count=1000&seed=1' -H "If-None-Match: $(header ETag)"
is "$status" 304 "unchanged"
get '/v1/models/good/classes.png?count=1000&seed=1&cols=3'
like "$(png_size "$T/body")" '^[345][0-9]*x6[0-9]*$' "fewer of each"
stop
finish

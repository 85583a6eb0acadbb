#!/usr/bin/env bash
# Codes of a whole split, their figures, neighbours.
# shellcheck disable=SC2016 # jq has variables of its own
. "$(dirname "$0")/lib.sh"
start --threads 1
submit '{"kind":"ae","name":"m","params":{"epochs":2,"train_limit":4000,"latent_dim":3}}'
settle "$job"

# --- the codes of a split
get '/v1/models/m/latents'
is "$(j '[.split, .count, .latent_dim, (.classes|length), (.index|length), (.label|length), (.z0, .z1, .z2|length)]')" \
  '["test",10000,3,10,10000,10000,10000,10000,10000]' "the codes of the test images, in columns"
whole=$(sha256sum < "$T/body")
etag=$(header ETag)
like "$etag $(header Latentd-Epoch)" '^".*" 2$' "with an ETag and the epoch"
get '/v1/models/m/latents' -H "If-None-Match: $etag"
is "$status" 304 "unchanged"
get '/v1/models/m@1/latents' -H "If-None-Match: $etag"
is "$status" 200 "of other weights it has changed"
check "and they are others" [ "$(sha256sum < "$T/body")" != "$whole" ]
get '/v1/models/m/latents?n=3&offset=5'
few=$(j '[.index, ([.z0, .z1, .z2] | transpose)]')
post /v1/models/m/encode '{"dataset":"fashion-mnist","split":"test","indices":[5,6,7]}'
is "$few" "$(j '[[5,6,7], .z]')" "some of them are what encode says"
get '/v1/models/m/latents.csv?n=3&offset=5'
is "$(head -n 1 "$T/body") $(wc -l < "$T/body")" "index,label,z0,z1,z2 4" "as CSV"
is "$(sed -n '2s/^[^,]*,[^,]*,//p' "$T/body" | jq -c -s -R 'split(",") | map(tonumber)')" "$(jq -c '.[1][0]' <<< "$few")" "with the same numbers"
get '/v1/models/m/latents.npy?split=train'
like "$(head -c 128 "$T/body" | tr -d '\0')" "'<f4'.*\(60000, 3\)" "npy of the training images"
is "$(wc -c < "$T/body")" 720128 "all of them"
train=$(sha256sum < "$T/body")

get /v1/datasets/fashion-mnist/labels
is "$(j '[.split, .count, (.classes|length), (.label|length)]')" '["test",10000,10,10000]' "the classes of the images"
labels=$(j '.label[5:8]')
get '/v1/models/m/latents?n=3&offset=5'
is "$labels" "$(j .label)" "are those beside the codes"
get '/v1/datasets/fashion-mnist/labels.npy?split=train'
like "$(head -c 128 "$T/body" | tr -d '\0') $(wc -c < "$T/body")" "'<f4'.*\(60000,\).* 240128$" "npy of the training images"
get /v1/datasets/fashion-mnist/labels -H "If-None-Match: $(header ETag)"
is "$status" 200 "of another split they are others"
get /v1/datasets/fashion-mnist/labels -H "If-None-Match: $(header ETag)"
is "$status" 304 "unchanged"
get '/v1/datasets/fashion-mnist/labels?split=all'
is "$status" 422 "a split that there is not"
get /v1/datasets/nothing/labels
is "$status" 404 "a data set that there is not"

# --- figures
get /v1/models/m/latents/stats
is "$(j '[.split, .count, .overall.count, ([.classes[].count] | unique), .classes[8].label, (.active|length), (.correlation|map(length))]')" \
  '["test",10000,10000,[1000],"Bag",3,[3,3,3]]' "figures of all and of each class"
is "$(j '.correlation as $c | [range(3)] | all($c[.][.] == 1) and ($c[0][1] == $c[1][0])')" true "correlations"
is "$(j '[.overall, .classes[]] | all(. as $g | [range(3)] | all(. as $u |
  [$g.min[$u], $g.quantiles.q01[$u], $g.quantiles.q50[$u], $g.quantiles.q99[$u], $g.max[$u]] | . == sort))')" true "quantiles rise"
is "$(j '(([.classes[].mean[1]] | add / 10) - .overall.mean[1] | fabs) < 1e-6')" true "the mean is that of the classes' means"
stats=$(sha256sum < "$T/body")
like "$(header ETag)" '^"' "with an ETag"

# --- neighbours
post /v1/models/m/nearest '{"index":11,"split":"train","k":3}'
is "$(j '[.space, .k, .index[0], .distance[0], (.class|length)]')" '["codes",3,11,0,3]' "a training image is its own nearest"
near=$(j '[.index, .distance]')
z=$(curl -q -s "$url/v1/models/m/latents?split=train&n=1&offset=11" | jq -c '[.z0[0], .z1[0], .z2[0]]')
post /v1/models/m/nearest "{\"z\":$z,\"k\":3}"
is "$(j '[.index, .distance]')" "$near" "and so is its code"
post /v1/models/m/nearest '{"index":11,"split":"train","space":"pixels","k":4}'
is "$(j '[.space, .index[0], .distance[0], (.distance == (.distance|sort))]')" '["pixels",11,0,true]' "by pixels, too"
curl -q -s "$url/v1/datasets/fashion-mnist/images.png?split=train&indices=11" > "$T/one.png"
req POST /v1/models/m/nearest -H 'Content-Type: image/png' --data-binary "@$T/one.png"
is "$(j '[.space, .k, .index[0], .distance[0]]')" '["codes",10,11,0]' "of a picture that is sent"
post '/v1/models/m/nearest.png?scale=2' '{"class":"Bag","k":6,"cols":3}'
is "$status $(png_size "$T/body")" '200 168x112' "as a picture"
post /v1/models/m/nearest '{"z":[0,0,0],"space":"pixels","k":2}'
is "$status" 200 "a code by the pixels of its image"
while IFS='|' read -r sent pointer detail; do
  post /v1/models/m/nearest "$sent"
  like "$status $(j '[.errors[0].pointer, .detail]')" "^422 .*\"$pointer\".*$detail" "$sent is refused"
done << 'END'
{}|#|must name one code: an object with one of z, seed, index, class, image
{"z":[1]}|#/z|has 3 latent units, got 1 value
{"z":[1,2,3],"k":101}|#/k|1..100
{"z":[1,2,3],"space":"tea"}|#/space|codes or pixels
{"z":[1,2,3],"kk":1}|#/kk|did you mean 'k'
{"image":[1]}|#/image|784
END
get '/v1/models/m/latents?n=0'
like "$status $(j .detail)" '^422 n must be a whole number 1..10000' "n=0"
get '/v1/models/m/latents?split=val'
like "$status $(j .detail)" '^422 split must be train or test' "a split that is none"

# --- kinds that cannot
submit '{"kind":"gan","name":"g","params":{"epochs":1,"train_limit":500,"judge_samples":0,"preview_every_epochs":0}}'
settle "$job"
get /v1/models/g/latents
like "$status $(j .detail)" '^422 a gan has no encoder; abilities: decode, sample' "no codes of a kind without an encoder"
post /v1/models/g/nearest '{"seed":1,"k":2}'
is "$status $(j .space)" '200 pixels' "its samples' neighbours are by pixels"
post /v1/models/g/nearest '{"seed":1,"space":"codes"}'
like "$status $(j '[.errors[0].pointer, .detail]')" '^422 .*"#/space".*no encoder' "not by codes"

# --- the same for any threads
stop
start --threads 3
get '/v1/models/m/latents.npy?split=train'
is "$(sha256sum < "$T/body")" "$train" "three threads encode the same bits"
get /v1/models/m/latents/stats
is "$(sha256sum < "$T/body")" "$stats" "and measure them"

# --- while it trains
submit '{"kind":"vae","name":"now","params":{"epochs":500,"latent_dim":2}}'
await /v1/models/now '.kind == "vae"'
get '/v1/models/now/latents?n=5'
is "$status $(j .count)" '200 5' "of a model that trains"
post /v1/models/now/nearest '{"z":[0,0]}'
is "$status" 200 "its neighbours"
req POST /v1/jobs/now/cancel
settle now
stop
is "$code" 0 "a clean stop"
finish

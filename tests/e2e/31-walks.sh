#!/usr/bin/env bash
# Grids over units, traversals, sums of codes, and how smooth a walk is.
# shellcheck disable=SC2016 # jq has variables of its own
. "$(dirname "$0")/lib.sh"
start
submit '{"kind":"ae","name":"m","params":{"epochs":2,"train_limit":4000,"latent_dim":3}}'
settle "$job"

# --- how smooth a walk is; codes in short
post /v1/models/m/interpolate '{"from":"Bag","to":7,"steps":5}'
is "$(j '[.shape[0], (.path | .mean_step > 0 and .max_step >= .mean_step and (.smoothness * .mean_step / .max_step - 1 | fabs) < 1e-6)]')" \
  '[5,true]' "a walk tells how smooth it is"
short=$(j .z)
post /v1/models/m/interpolate '{"from":{"class":"Bag"},"to":{"index":7},"steps":5}'
is "$(j .z)" "$short" "a text is a class, a number a test image"
post /v1/models/m/interpolate '{"from":[1,2,3],"to":[1,2,3],"steps":2}'
is "$(j '[.z, .path.smoothness]')" '[[[1,2,3],[1,2,3]],null]' "a list is a z; a way that stands still has no smoothness"
post /v1/models/m/interpolate '{"from":[1,2],"to":"Bat"}'
like "$status $(j '[.errors[0].pointer, .detail]')" '^422 \["#/from","from: model m has 3 latent units, got 2 values' "short of a length that is wrong"
post /v1/models/m/interpolate '{"from":[1,2,"x"],"to":"Bat"}'
is "$status $(j '.errors[0].pointer')" '422 #/from/2' "of what is no number"

# --- a grid
get '/v1/models/m/manifold?n=4&dims=2,0'
is "$(j '[.shape, .n, [.axes[].label], [.axes[].values|length]]')" '[[16,28,28],4,["z2","z0"],[4,4]]' "a manifold"
is "$(j '.axes as $a | [.z | to_entries[] | .key as $i | (.value[2] - $a[0].values[$i % 4] | fabs) < 1e-5 and (.value[0] - $a[1].values[3 - ($i / 4 | floor)] | fabs) < 1e-5] | all')" \
  true "right is more of the first unit, up of the second"
is "$(j '[.z[][1]] | unique | length')" 1 "the third stays at its mean"
stays=$(j '.z[0][1]')
get /v1/models/m
is "$(j ".z.mean[1] - $stays | fabs < 1e-5")" true "which is that of the codes"
get '/v1/models/m/manifold.png?n=20&dims=0,1&scale=1'
is "$status $(png_size "$T/body")" '200 560x560' "as a picture"
etag=$(header ETag)
get '/v1/models/m/manifold.png?n=20&dims=0,1&scale=1' -H "If-None-Match: $etag"
is "$status" 304 "cacheable"
get '/v1/models/m/manifold.npy?n=3&dims=1'
like "$(head -c 128 "$T/body" | tr -d '\0')" '\(3, 28, 28\)' "over one unit, as npy"

# --- traversals
get '/v1/models/m/traversals?steps=5'
is "$(j '[.shape[0], .steps, .range, ([.units[].variance] | . == (sort|reverse)), ([.units[].unit] | sort)]')" '[15,5,"quantile",true,[0,1,2]]' \
  "each unit, the most varied first, over the codes' quantiles"
is "$(j '[.units[0] as $u | .z[0:5] | to_entries[] | (.value[$u.unit] - $u.values[.key] | fabs) < 1e-5] | all')" true "a row each"
get '/v1/models/m/traversals?steps=3&units=2&range=sd'
values=$(j '.units[0].values')
get /v1/models/m
is "$(j "[.z.mean[2] - 3 * .z.std[2], .z.mean[2], .z.mean[2] + 3 * .z.std[2]] as \$w | $values | to_entries | all(.value - \$w[.key] | fabs < 1e-5)")" \
  true "or three standard deviations to each side"
get '/v1/models/m/traversals.png?steps=9&units=2,0&scale=2'
is "$status $(png_size "$T/body")" '200 504x112' "as a picture"

# --- sums
post /v1/models/m/encode '{"dataset":"fashion-mnist","split":"test","indices":[1,2]}'
first=$(j '.z[0]')
second=$(j '.z[1]')
post /v1/models/m/arithmetic '{"base":[1,1,1],"plus":[1,{"z":[0,0,2]}],"minus":[2]}'
is "$(j "[range(3) as \$i | .z[0][\$i] - (1 + ${first}[\$i] - ${second}[\$i] + [0,0,2][\$i]) | fabs < 1e-5] | all")" true "base + plus - minus"
z=$(j '.z[0]')
image=$(j '.images[0] | tostring')
post /v1/models/m/decode "{\"z\":[$z]}"
is "$(j '.images[0] | tostring')" "$image" "and its image"
post /v1/models/m/arithmetic '{"plus":["Sneaker"],"minus":["Sandal"],"nearest":4}'
is "$status $(j '[.shape, .nearest.space, .nearest.k, (.nearest.index|length)]')" '200 [[1,28,28],"codes",4,4]' "a direction, with neighbours"
away=$(j '.z[0]')
post /v1/models/m/interpolate '{"from":"Sneaker","to":"Sandal","steps":2}'
ends=$(j .z)
get /v1/models/m
is "$(j "[range(3) as \$i | .z.mean[\$i] + ${ends}[0][\$i] - ${ends}[1][\$i] - ${away}[\$i] | fabs < 1e-5] | all")" true "from the mean code"
post '/v1/models/m/arithmetic.png?scale=3' '{"plus":["Bag"]}'
is "$status $(png_size "$T/body")" '200 84x84' "as a picture"

# --- refusals
while IFS='|' read -r path detail; do
  get "$path"
  like "$status $(j .detail)" "^422 $detail" "$path"
done << 'END'
/v1/models/m/manifold?n=65|n must be a whole number 2..64, got '65'
/v1/models/m/manifold?dims=0,3|dims: the model has units 0..2, got 3
/v1/models/m/manifold?dims=1,1|dims names unit 1 twice
/v1/models/m/manifold?dims=0,1,2|dims: at most 2
/v1/models/m/manifold?dims=a|dims must be units apart by commas, got 'a'
/v1/models/m/traversals?steps=1|steps must be a whole number 2..64
/v1/models/m/traversals?range=wide|range must be sd or quantile, got 'wide'
/v1/models/m/traversals?units=7|units: the model has units 0..2
END
while IFS='|' read -r sent pointer detail; do
  post /v1/models/m/arithmetic "$sent"
  like "$status $(j '[.errors[0].pointer, .detail]')" "^422 .*\"$pointer\".*$detail" "$sent is refused"
done << 'END'
{}|#/plus|is missing
{"plus":"Bag"}|#/plus|an array of codes
{"plus":["Bat"]}|#/plus/0|'Bag'
{"plus":["Bag",{"z":[1]}]}|#/plus/1/z|has 3 latent units, got 1 value
{"plus":["Bag"],"minus":[{"clas":"Bag"}]}|#/minus/0/clas|did you mean 'class'
{"plus":["Bag"],"base":true}|#/base|must be an object
{"plus":["Bag"],"nearest":101}|#/nearest|0..100
END

# --- a checkpoint, kinds whose codes are normal, kinds that cannot, one that trains
get '/v1/models/m@1/manifold?n=2'
is "$status $(header Latentd-Epoch)" '200 1' "of a checkpoint"
submit '{"kind":"gan","name":"g","params":{"epochs":1,"train_limit":500,"judge_samples":0,"preview_every_epochs":0,"latent_dim":40}}'
settle "$job"
get '/v1/models/g/manifold?n=3'
is "$(j '[.axes[0].values[] | . * 1e6 | round]')" '[-967422,0,967422]' "a normal spread: quantiles of the distribution"
get '/v1/models/g/traversals?steps=3'
is "$(j '[.range, (.units|length), .units[31].unit, .units[0].values]')" '["sd",32,31,[-3,0,3]]' "the first 32 of 40 units"
post /v1/models/g/arithmetic '{"plus":["Bag"]}'
like "$status $(j .detail)" '^422 plus.0: a gan has no encoder' "classes take an encoder"
post /v1/models/g/arithmetic '{"plus":[{"seed":1}],"minus":[{"seed":2}],"nearest":1}'
is "$status $(j .nearest.space)" '200 pixels' "seeds do not"
submit '{"kind":"classifier","name":"c","params":{"epochs":1,"train_limit":500}}'
settle "$job"
for path in manifold traversals; do
  get "/v1/models/c/$path"
  like "$status $(j .detail)" '^422 a classifier has no decoder' "$path takes a decoder"
done
submit '{"kind":"vae","name":"now","params":{"epochs":500,"latent_dim":2}}'
await /v1/models/now '.kind == "vae"'
get '/v1/models/now/manifold.png?n=5'
is "$status" 200 "of a model that trains"
post /v1/models/now/arithmetic '{"plus":["Bag"]}'
is "$status" 200 "its sums"
req POST /v1/jobs/now/cancel
settle now
stop
is "$code" 0 "a clean stop"
finish

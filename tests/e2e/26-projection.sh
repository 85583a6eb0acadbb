#!/usr/bin/env bash
# Maps of codes and of pixels: a kind of job that trains no net, with all that a job has and nothing that only a model has.
. "$(dirname "$0")/lib.sh"
NET='"latent_dim":4,"channels":[4],"kernel":[3],"stride":[2],"padding":[1],"hidden":[8],"epochs":2,"train_limit":2000'

start --workers 2 --threads 2
get /v1/kinds/projection
is "$(j '[.trains, .results, .abilities, .from, .headlines, .params.properties.method.enum]')" \
  '[false,["projection"],[],["ae","vae","finetune"],["kl_divergence"],["pca","tsne"]]' "the kind says what it is"
is "$(j '[.series[].name]')" '["kl_divergence"]' "and has no curves of a net's"
post /v1/jobs '{"kind":"projection"}'
is "$status $(j '.errors[0].pointer')" "422 #/from" "codes are some model's"
like "$(j .detail)" 'a finished ae or vae or finetune; there is none here yet; "space":"pixels" needs none' "and the error says which, and what needs none"

submit "{\"kind\":\"ae\",\"name\":\"small\",\"params\":{$NET}}"
model=$job
settle "$model"
get "/v1/jobs/$model/projection"
is "$status $(j .code)" "422 not_supported_by_kind" "a model has no map"

# --- PCA of codes
post '/v1/jobs?validate_only=true' '{"kind":"projection","from":"small@1","params":{"n":500,"components":3}}'
is "$status $(j '[.from.checkpoint, .dataset, .estimate.parameters, .estimate.steps, .estimate.memory_bytes > 10000]')" \
  '200 [1,"fashion-mnist",0,1,true]' "what it would need"
submit '{"kind":"projection","name":"map","from":"small","params":{"n":500,"components":4}}'
map=$job
settle "$map"
is "$state $(j '[.from.job == "'"$model"'", .from.checkpoint, .progress.step, .progress.epoch, .preset, .best, .error]')" \
  'succeeded [true,2,1,1,"pca",null,null]' "a map of all the code's directions"
is "$(j '[.links | has("model"), has("fork"), has("verify"), has("checkpoints"), has("checkpoint"), has("projection"), has("events")]')" \
  '[false,false,false,false,false,true,true]' "links lead to what there is"
get "/v1/jobs/$map/projection"
cp "$T/body" "$T/map.json"
is "$(j '[.method, .space, .split, .points, .components, (.index | length), (.c4 | length), .index[:3], (.classes | length)]')" \
  '["pca","codes","test",500,4,500,500,[0,20,40],10]' "evenly spaced images, a column per direction"
is "$(j '[(.explained_variance_ratio | add * 1e6 | round), (.explained_variance_ratio | . == (sort | reverse)), ([.x, .y, .z, .c4 | (add | fabs) < 1e-3] | all)]')" \
  '[1000000,true,true]' "they explain all variance, the first most"
get "/v1/jobs/$map/projection.csv"
is "$(head -n 1 "$T/body") $(wc -l < "$T/body")" "index,x,y,z,c4,label 501" "as CSV"
get "/v1/jobs/$map/projection.npy"
is "$(header Content-Type) $(wc -c < "$T/body")" "application/x-npy $((128 + 500 * 4 * 4))" "as npy"
etag=$(header ETag)
get "/v1/jobs/$map/projection.npy" -H "If-None-Match: $etag"
is "$status" 304 "which does not change"
# The labels are the images', and the codes' variance is the map's.
post /v1/models/small/encode "$(jq -c '{dataset: "fashion-mnist", split: "test", indices: .index[:100]}' "$T/map.json")"
is "$(jq -s '.[0].z as $z | .[1] | [range(100) as $i | $z[$i] | add] as $sums | ($sums | length)' "$T/body" "$T/map.json")" 100 "codes of the same images"
norms=$(jq -s '.[0].z as $z | .[1] as $m
  | [range(1; 100) as $i | ([range(4) as $k | $z[$i][$k] - $z[0][$k] | . * .] | add) as $a
  | ([$m.x, $m.y, $m.z, $m.c4 | .[$i] - .[0] | . * .] | add) as $b | ($a - $b | fabs) < 1e-4 * ($a + 1e-6)] | all' "$T/body" "$T/map.json")
is "$norms" true "distances between codes are distances in the map"

# --- what is no model
while IFS='|' read -r method path sent; do
  req "$method" "$path" ${sent:+-H 'Content-Type: application/json' --data-binary "$sent"}
  is "$status $(j .code)" "422 not_supported_by_kind" "$method $path"
done << END
GET|/v1/models/map
POST|/v1/models/map/decode|{"z":[[0,0]]}
POST|/v1/models/map@best/encode|{"dataset":"fashion-mnist","indices":[0]}
GET|/v1/models/map/weights
GET|/v1/models/map/samples.png
GET|/v1/jobs/map/checkpoints/best/weights
POST|/v1/jobs/map/fork|{}
POST|/v1/jobs/map/verify|{}
POST|/v1/jobs/map/checkpoint|{}
GET|/v1/jobs/map/confusion
END
like "$(j .detail)" "a projection has no classes" "and says why"
get /v1/models/map
like "$(j .detail)" "a projection is no model and has neither weights nor checkpoints; what such a job gives: projection" "or what there is"
get /v1/models
is "$(j '[.data[].id]')" "[\"$model\"]" "it is not among the models"
get /v1/jobs/map/checkpoints
is "$status $(j .data)" '200 []' "it has no checkpoints"
for path in curves.svg metrics previews events.txt; do
  get "/v1/jobs/map/$path"
  is "$status" 200 "$path"
done
req PATCH /v1/jobs/map -H 'Content-Type: application/json' --data-binary '{"metadata":{"why":"test"}}'
is "$status $(j .metadata)" '200 {"why":"test"}' "its metadata may change"
req DELETE "/v1/jobs/$model"
is "$status" 204 "what it was made of may go"
get /v1/jobs/map/projection
is "$status" 200 "and the map stays"

# --- what does not go together
submit "{\"kind\":\"ae\",\"name\":\"small\",\"params\":{$NET}}"
settle "$job"
while IFS='|' read -r sent pointer words; do
  post /v1/jobs "$sent"
  is "$status $(j '.errors[0].pointer')" "422 $pointer" "$sent is refused"
  like "$(j .detail)" "$words" "with a reason"
done << 'END'
{"kind":"projection","from":"small","params":{"components":5}}|#/params/components|must be at most 4
{"kind":"projection","from":"small","params":{"n":20000}}|#/params/n|so many images the split has
{"kind":"projection","from":"small","params":{"n":2}}|#/params/n|at least 4
{"kind":"projection","from":"map"}|#/from|is of kind projection; needs 'from': a finished ae
{"kind":"projection","from":"small@9"}|#/from|has no checkpoint '9'
{"kind":"projection","from":"small","params":{"epochs":3}}|#/params/epochs|unknown parameter
{"kind":"projection","dataset":"nothing","params":{"space":"pixels"}}|#/dataset|
{"kind":"finetune","from":"map"}|#/from|is of kind projection
END

# --- PCA of pixels: the floor that every autoencoder is measured by
if [ ! "$SLOW" ]; then
  submit '{"kind":"projection","params":{"space":"pixels","split":"train","components":8}}'
  settle "$job"
  get "/v1/jobs/$job/projection"
  is "$(j '[.points, [.explained_variance_ratio | (.[:2], .[:5], .[:8]) | add * 1e4 | round]]')" '[60000,[4679,6162,6933]]' "variance of all 60,000 images"
fi

# --- the same bytes for any number of threads
file() { sha256sum < "$D/jobs/$1/projection.safetensors"; }
bytes=$(file "$map")
submit '{"kind":"projection","name":"p2","params":{"space":"pixels","n":1000}}'
settle "$job"
two=$(file "$job")
stop
start --threads 1
submit '{"kind":"projection","name":"p1","params":{"space":"pixels","n":1000}}'
settle "$job"
is "$(file "$job")" "$two" "one thread makes the bytes of two"
submit '{"kind":"projection","from":"small","params":{"n":500,"components":4}}'
settle "$job"
is "$(file "$job")" "$bytes" "and an equal model gives an equal map"
stop
finish

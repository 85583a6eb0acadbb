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
get "/v1/jobs/$map/projection.png?scale=2"
is "$status $(png_size "$T/body" | grep -c x)" "200 1" "as a picture"
is "$(jq '[.quality | (.trustworthiness | keys), (.trustworthiness."5" | . > 0.9 and . <= 1), .knn_accuracy > 0.2, .points]' -c "$T/map.json")" \
  '[["12","15","5"],true,true,500]' "and how good it is"
get "/v1/jobs/$map/previews"
is "$(j '[.data[] | [.epoch, .step, .kind]]')" '[[1,1,"map"]]' "it is a preview, too"
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
{"kind":"projection","from":"small","preset":"tsne","params":{"components":3}}|#/params/components|must be 2 with method tsne
{"kind":"projection","from":"small","preset":"tsne","params":{"n":20}}|#/params/perplexity|must be less than 20
{"kind":"finetune","from":"map"}|#/from|is of kind projection
END

# --- t-SNE: an iteration is a step
file() { sha256sum < "$D/jobs/$1/projection.safetensors"; }
SHORT='"kind":"projection","from":"small","preset":"tsne","seed":4,"params":{"n":400,"iterations":130,"perplexity":20}'
submit "{$SHORT}"
short=$job
settle "$short"
is "$state $(j '[.progress.epoch, .progress.epochs, .progress.step, (.metrics | keys)]')" 'succeeded [3,3,130,["kl_divergence"]]' "t-SNE of codes"
get "/v1/jobs/$short/metrics?by=step"
is "$(j '[.series.kl_divergence | .step == [range(1; 131)], .value[0] > .value[129], .epoch[129]]')" '[true,true,2.6]' "a point per iteration"
get "/v1/jobs/$short/previews"
is "$(j '[.data[] | [.epoch, .step, .kind]]')" '[[0,0,"map"],[1,50,"map"],[2,100,"map"],[3,130,"map"]]' "a picture every fifty, and the last"
get "/v1/jobs/$short/previews/2/map.png"
cp "$T/body" "$T/before.png"
get "/v1/jobs/$short/previews/3/map.png"
check "the map moves" [ "$(sha256sum < "$T/body")" != "$(sha256sum < "$T/before.png")" ]
get "/v1/jobs/$short/projection.png"
check "and its last picture is its picture" cmp -s "$T/body" "$D/jobs/$short/previews/epoch-000003-step-000000130-map.png"
get "/v1/jobs/$short/projection"
is "$(j '[.method, .step, (.kl_divergence | . > 0 and . < 2), .quality.trustworthiness."12" > 0.9, (.x | add | fabs) < 1e-6]')" \
  '["tsne",130,true,true,true]' "with its quality"
bytes=$(file "$short") curve=$(curve_sum "$short")
post '/v1/jobs?validate_only=true' '{"kind":"projection","from":"small","preset":"tsne"}'
is "$(j '[.estimate.steps, .estimate.epochs, .estimate.seconds > 0, .estimate.memory_bytes > 1e6]')" '[750,15,true,true]' "what a larger one would take"

# Paused, stopped, killed.
LONG='"kind":"projection","from":"small","preset":"tsne","params":{"n":400,"iterations":100000}'
submit "{$LONG}"
long=$job
await "/v1/jobs/$long" '.progress.step > 60'
get "/v1/jobs/$long/projection"
is "$status $(j '[.status, .step >= 50, (.x | length), .quality]')" '200 ["running",true,400,null]' "the map while it moves"
post "/v1/jobs/$long/pause" '{}'
is "$status $(j .status)" "200 paused" "it pauses"
at=$(j .progress.step)
post "/v1/jobs/$long/resume" '{}'
await "/v1/jobs/$long" ".progress.step > $at"
post "/v1/jobs/$long/stop" '{}'
is "$status $(j '[.status, .stop_reason, .progress.step > '"$at"']')" '200 ["succeeded","user_stop",true]' "and stops where it is"
get "/v1/jobs/$long/projection"
is "$(j '[.step > '"$at"', .quality.knn_recall > 0]')" '[true,true]' "with its map"
submit "{$LONG}"
await "/v1/jobs/$job" '.progress.step > 10'
post "/v1/jobs/$job/cancel" '{}'
is "$status $(j .status)" "200 cancelled" "it can be given up"
printf damaged > "$D/jobs/$job/projection-state.safetensors"
post "/v1/jobs/$job/retry" '{}'
await "/v1/jobs/$job/events" '[.data[] | .message // "" | test("damaged state")] | any'
is "$(j '[.data[] | .message // "" | select(test("damaged state"))] | length')" 1 "tried again, a damaged state is as good as none"
post "/v1/jobs/$job/cancel" '{}'

WHOLE='"kind":"projection","from":"small","preset":"tsne","seed":5,"params":{"n":600,"iterations":700}'
submit "{$WHOLE,\"name\":\"whole\"}"
whole=$job
settle "$whole"
stop

# --- the same bytes for any number of threads, killed or not
start --threads 1
submit "{$SHORT}"
settle "$job"
is "$(file "$job") $(curve_sum "$job")" "$bytes $curve" "one thread makes the bytes of two"
submit "{$WHOLE,\"name\":\"shaken\"}"
for ((i = 0; i < (SLOW ? 1 : 3); i++)); do
  await "/v1/jobs/shaken" ".progress.step > $((60 + 200 * i))"
  post /v1/jobs/shaken/pause '{}' # which saves its state
  post /v1/jobs/shaken/resume '{}'
  await "/v1/jobs/shaken" ".progress.step > $((160 + 200 * i))"
  crash
  start --threads 1
done
settle shaken
is "$state $(j '.attempt > 1') $(file "$(j .id)") $(curve_sum shaken)" "succeeded true $(file "$whole") $(curve_sum whole)" "so does one that was killed again and again"
like "$(curl -q -s "$url/v1/jobs/shaken/events.txt")" "goes on from step" "from where it was saved"
check "of a job that has succeeded no state is kept" [ ! -e "$D/jobs/$whole/projection-state.safetensors" ]
submit '{"kind":"projection","name":"p1","params":{"space":"pixels","n":1000}}'
settle "$job"
one=$(file "$job")
submit '{"kind":"projection","from":"small","params":{"n":500,"components":4}}'
settle "$job"
again=$(file "$job")
stop
start --threads 2
submit '{"kind":"projection","name":"p2","params":{"space":"pixels","n":1000}}'
settle "$job"
is "$(file "$job")" "$one" "PCA of pixels: the bytes of one thread"
is "$again" "$(file "$map")" "and of an equal model's codes"

# All distances of as many points as wide as there are take minutes: the pass is given up for whoever cannot wait.
cpu_s() { awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print int(($12 + $13) / hz)}' "/proc/$pid/stat"; }
# busy: until the pass must have begun.
busy() {
  local limit=$(($(now_ms) + 60000)) until=$(($(cpu_s) + 2))
  while [ "$(cpu_s)" -lt $until ] && [ "$(now_ms)" -lt $limit ]; do sleep 0.05; done
}
if [ -z "$SLOW" ]; then
  submit '{"kind":"projection","name":"wide","params":{"space":"pixels","split":"train","method":"tsne","n":60000,"initial_dims":0}}'
  await /v1/jobs/wide '.status == "running"'
  busy
  begin=$(now_ms)
  stop
  is "$code $(($(now_ms) - begin < 10000))" "0 1" "SIGTERM in the middle of it: the daemon ends in time"
  start --threads 2
  await /v1/jobs/wide '.status == "running"'
  busy
  post /v1/jobs/wide/cancel '{}'
  await /v1/jobs/wide '.status == "cancelled"'
  is "$(j .status)" cancelled "cancelled in the middle of it"
  # Of this one the map is soon there, and how good it is takes as long.
  submit '{"kind":"projection","name":"plane","params":{"space":"pixels","split":"train","n":60000,"initial_dims":0}}'
  await "/v1/jobs/$job" '.progress.step == 1'
  begin=$(now_ms)
  stop
  is "$code $(($(now_ms) - begin < 10000))" "0 1" "SIGTERM while a map is measured"
  start --threads 2
  await "/v1/jobs/$job" '.status == "running"'
  post "/v1/jobs/$job/pause" '{}'
  await "/v1/jobs/$job" '.status == "paused"'
  is "$(j .status)" paused "it goes on, and can be paused"
  post "/v1/jobs/$job/cancel" '{}'
fi
stop
finish

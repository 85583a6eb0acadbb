#!/usr/bin/env bash
# Studies: grids, tuning over kills, repeats, commands, what goes with a study.
. "$(dirname "$0")/lib.sh"
start --workers 2

study() { # study NAME PARAMS: sets job
  submit "{\"kind\":\"study\",\"name\":\"$1\",\"seed\":3,\"params\":{$2}}"
}
bare() { # the trials without times and ids
  get "/v1/jobs/$1/trials.csv"
  sed -E 's/,[0-9.]+,[a-z0-9_]*$//' "$T/body"
}
IMAGES=$(images 300)
BASE="\"base\":{\"kind\":\"ae\",\"preset\":\"report\",\"params\":{\"epochs\":1,\"train_limit\":$IMAGES,\"preview_every_epochs\":0}}"

# --- what is refused ---
refused() { # refused BODY POINTER WORDS
  post /v1/jobs "$1"
  is "$status $(j '.errors[0].pointer')" "422 $2" "$3"
}
refused '{"kind":"study"}' '#/params/base' "a study needs a base"
refused "{\"kind\":\"study\",\"params\":{$BASE,\"space\":{\"latnt_dim\":{\"low\":1,\"high\":4}}}}" '#/params/space/latnt_dim' "an unknown parameter of the space"
check "has its neighbour named" grep -q "did you mean 'latent_dim'" "$T/body"
refused "{\"kind\":\"study\",\"params\":{$BASE,\"space\":{\"latent_dim\":{\"low\":0,\"high\":4}}}}" '#/params/space/latent_dim/low' "a bound outside the parameter's own"
refused '{"kind":"study","params":{"base":{"kind":"ae","params":{"channels":[2000]}},"space":{"lr":[0.1]}}}' '#/params/base/params/channels/0' "a base that cannot be"
refused '{"kind":"study","params":{"base":{"kind":"ae","params":{"kernel":[9],"padding":[0]}},"space":{"lr":[0.1]}}}' '#/params/base/params/kernel' "nor be built"
post '/v1/jobs?validate_only=true' '{"kind":"study","preset":"report-ae"}'
is "$status $(j '.params.trials') $(j '.estimate.steps')" "200 20 32" "the report's search: 20 trials, then three and the baseline on three seeds"

# --- a grid ---
study grid "$BASE,\"space\":{\"latent_dim\":{\"values\":[2,4,6]}},\"sampler\":\"grid\",\"parallel\":2"
grid=$job
settle "$grid"
is "$state $(j .stop_reason) $(j .progress.epoch)/$(j .progress.epochs)" "succeeded completed 3/3" "a grid is walked to its end"
is "$(j '.best.metric') $(j '.test.loss > 0')" "val_loss true" "it knows its best, and what that is worth on the test images"
get "/v1/jobs/$grid/trials"
is "$(j '[.data[].params.latent_dim]') $(j '[.data[].state] | unique')" '[2,4,6] ["complete"]' "each value has its trial"
get "/v1/jobs/$grid/trials" && best=$(j '.data | min_by(.value) | .number')
get "/v1/jobs/$grid/best"
is "$(j .best.trial) $(j .final) $(j .baseline)" "$best true null" "the least value is the best"
child=$(j .job)
get "/v1/jobs/$child"
is "$(j '.trial.study') $(j .name) $(j '.best.value')" "$grid grid-$best $(get "/v1/jobs/$grid" && j .best.value)" "a trial is a job like any other"
get "/v1/jobs?study=grid&order=asc"
is "$(j '[.data[].name]')" '["grid-0","grid-1","grid-2"]' "a study's children"
get "/v1/jobs?study=grid&status=succeeded,failed&limit=1"
is "$(j '[.data[].name]') $(j .has_more)" '["grid-2"] true' "in pages, by status"
get "/v1/jobs?study=none"
is "$(j '[.data[].name]')" '["grid"]' "and what is nobody's child"
get "/v1/jobs/$child/trials"
is "$status $(j .code)" "422 not_supported_by_kind" "only a study has trials"

# --- tuning: conditions, shapes that cannot be built, several at once, over kills ---
TUNE="$BASE,\"space\":{\"n_conv\":{\"low\":1,\"high\":3},\"channels.0\":{\"low\":2,\"high\":6},\"channels.1\":{\"low\":2,\"high\":8,\"when\":{\"n_conv\":[2,3]}},
 \"channels.2\":{\"low\":2,\"high\":8,\"when\":{\"n_conv\":3}},\"kernel.0\":{\"low\":2,\"high\":5},\"kernel.1\":{\"low\":2,\"high\":5,\"when\":{\"n_conv\":[2,3]}},
 \"kernel.2\":{\"low\":2,\"high\":5,\"when\":{\"n_conv\":3}},\"stride.0\":{\"low\":2,\"high\":6},\"padding.0\":{\"low\":0,\"high\":{\"of\":\"kernel.0\",\"factor\":0.5}},
 \"padding.1\":{\"low\":0,\"high\":1,\"when\":{\"n_conv\":[2,3]}},\"padding.2\":{\"low\":0,\"high\":1,\"when\":{\"n_conv\":3}},
 \"lr\":{\"low\":1e-4,\"high\":0.03,\"log\":true},\"optimizer\":{}},\"trials\":10,\"startup_trials\":4,\"parallel\":2,
 \"retrain\":{\"top_k\":1,\"seeds\":[1,2],\"params\":{\"epochs\":2}}"
study whole "$TUNE"
whole=$job
settle "$whole"
is "$state" succeeded "a tuner"
get "/v1/jobs/$whole/trials"
is "$(j '[.data[] | select(.phase == "trial" and .state != "infeasible")] | length')" 10 "so many trials as could be built"
check "some could not, and say why" [ "$(j '[.data[] | select(.state == "infeasible")] | length > 0 and all(.reason | length > 10)')" = true ]
check "entries of lists are there under their conditions only" [ "$(j '[.data[] | select(.number > 0 and .phase == "trial") | .params | (.n_conv == 3) == has("channels.2")] | all')" = true ]
is "$(j '.data[0].params.n_conv')" 3 "trial 0 is the base"
get "/v1/jobs/$whole/best"
is "$(j '.baseline.n') $(j '.improvement >= 0')" "2 true" "the baseline was trained again as well, and cannot win against the best"
study killed "$TUNE"
killed=$job
for ((k = 0; k < 4; k++)); do
  sleep "0.$((RANDOM % 5 + 1))"
  crash
  start --workers 2
done
settle "$killed"
is "$state" succeeded "the same tuner, killed four times"
is "$(bare "$killed")" "$(bare "$whole")" "comes to the same trials, values and retrainings"
get "/v1/jobs/$killed/best" && killed_best=$(j '[.best.trial, .best.value, .baseline.value]')
get "/v1/jobs/$whole/best"
is "$killed_best" "$(j '[.best.trial, .best.value, .baseline.value]')" "and to the same best"
get "/v1/jobs?study=$killed&limit=100"
is "$(j '.data | length')" "$(get "/v1/jobs/$killed/trials" && j '[.data[] | select(.job)] | length')" "no trial has a second job"

# --- repeats ---
submit "{\"kind\":\"ae\",\"name\":\"three\",\"params\":{\"epochs\":1,\"train_limit\":$IMAGES},\"seeds\":[5,6,7]}"
is "$(j .kind)" study "seeds make a study of any job"
three=$job
settle "$three"
get "/v1/jobs/$three/best"
is "$(j .best.n) $(j '.best.std > 0') $(j '(.best.values | add / 3 - 1e-8) < .best.value')" "3 true true" "with a mean and a deviation"
get "/v1/jobs/$three/trials"
is "$(j '[.data[].seed]')" '[5,6,7]' "of these seeds"

# --- commands ---
study long "\"base\":{\"kind\":\"ae\",\"params\":{\"epochs\":100000,\"train_limit\":$IMAGES,\"preview_every_epochs\":0}},\"space\":{\"latent_dim\":[2,4,6]},\"sampler\":\"grid\",\"parallel\":2"
long=$job
begun() { await "/v1/jobs?study=$long" '[.data[] | select(.status == "running" and .progress.epoch > 0)] | length == 2'; }
begun
post "/v1/jobs/$long/pause" ''
is "$status $(j .status)" "200 paused" "a study is paused"
get "/v1/jobs?study=$long"
is "$(j '[.data[].status] | unique')" '["paused"]' "with its children"
crash
start --workers 2
get "/v1/jobs/$long"
is "$(j .status) $(get "/v1/jobs?study=$long" && j '[.data[].status] | unique')" 'paused ["paused"]' "and stays so over a kill"
post "/v1/jobs/$long/resume" ''
begun
is "$(j '[.data[].status] | unique')" '["running"]' "resumed, they go on"
req DELETE "/v1/jobs/$(j '.data[0].id')"
is "$status" 409 "a child that runs is not deleted"
post "/v1/jobs/$long/cancel" ''
is "$status $(j .status)" "200 cancelled" "a study is cancelled"
get "/v1/jobs?study=$long"
is "$(j '[.data[].status] | unique')" '["cancelled"]' "with its children"
post "/v1/jobs/$long/retry" ''
begun
is "$(j '[.data[].attempt > 1] | all')" true "tried again, they go on, too"
post "/v1/jobs/$long/stop" ''
is "$status $(j .status) $(j .stop_reason)" "200 succeeded user_stop" "stopped, it is settled"
get "/v1/jobs?study=$long"
is "$(j '[.data[].stop_reason] | unique')" '["user_stop"]' "with what its children have come to"

# --- a trial that comes to nothing fails, not the study ---
study wild "$BASE,\"space\":{\"val_fraction\":[0.1,0]},\"sampler\":\"grid\",\"objective\":{\"metric\":\"val_loss\"}"
settle "$job"
get "/v1/jobs/$job/trials"
is "$state $(j '[.data[].state]')" 'succeeded ["complete","failed"]' "a trial without the objective's series has failed"
is "$(j '.data[1].reason')" "never had a value of: val_loss" "and says so"

# --- trials that are ended early, at the same epochs whatever happens ---
PRUNED="\"base\":{\"kind\":\"ae\",\"preset\":\"report\",\"params\":{\"epochs\":6,\"train_limit\":$IMAGES,\"preview_every_epochs\":0}},
 \"space\":{\"lr\":{\"low\":1e-5,\"high\":0.03,\"log\":true}},\"sampler\":\"random\",\"trials\":9,\"parallel\":2"
for pruner in median asha; do
  study "$pruner" "$PRUNED,\"pruner\":\"$pruner\""
  settle "$job"
  undisturbed=$(bare "$job")
  get "/v1/jobs/$job/trials"
  check "$pruner ends some trials early, not all" [ "$(j '[.data[] | select(.state == "pruned")] | length > 0 and length < 9 and all(.epochs < 6)')" = true ]
  child=$(j '[.data[] | select(.state == "pruned")][0].job')
  get "/v1/jobs/$child"
  is "$(j .status) $(j .stop_reason)" "succeeded pruned" "$pruner: what is left of them is a model, too"
  study "$pruner-killed" "$PRUNED,\"pruner\":\"$pruner\""
  for ((k = 0; k < 2; k++)); do
    sleep "0.$((RANDOM % 6 + 2))"
    crash
    start --workers 2
  done
  settle "$job"
  is "$(bare "$job")" "$undisturbed" "$pruner: at the same epochs over kills"
done

# --- without its database ---
trials=$(bare "$whole")
stop
rm -f "$D"/latentd.db*
check "the database is lost, and made again" "$LATENTD" recover --data-dir "$D"
start --workers 2
settle "$whole"
is "$state" succeeded "a study is there again"
is "$(bare "$whole")" "$trials" "with its trials, their values, and what could not be built"

# --- a study goes with its children ---
get "/v1/jobs/$grid/trials"
child=$(j '.data[0].job')
req DELETE "/v1/jobs/$child"
is "$status" 204 "a child of a study that has ended may go"
get "/v1/jobs/$grid/trials"
is "$(j '.data[0].job') $(j '.data[0].state')" "null complete" "its trial keeps its verdict"
grid_children=$(get "/v1/jobs?study=$grid" && j '.data[].id')
check "two are left" [ "$(wc -w <<< "$grid_children")" = 2 ]
req DELETE "/v1/jobs/$grid"
is "$status" 204 "a study goes"
get "/v1/jobs?limit=100"
is "$(j '[.data[] | select((.name // "") | startswith("grid"))] | length')" 0 "with its children"
for child in $grid_children; do
  if [ -e "$D/jobs/$child" ]; then left=$child; fi
done
is "${left:-}" "" "and their files"
stop
finish

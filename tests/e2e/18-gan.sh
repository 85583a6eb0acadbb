#!/usr/bin/env bash
# Adversarial nets: what is refused, what a run tells and shows, what its samples are worth, collapse and what follows, kills.
. "$(dirname "$0")/lib.sh"
start
N=$(images 6000)
PAIR='"channels":[16,8],"discriminator_channels":[8,16],"judge_samples":256,"batch_size":16,"train_limit":'$N

# refused PARAMS POINTER
refused() {
  post '/v1/jobs?validate_only=true' "{\"kind\":\"gan\",\"params\":{$1}}"
  is "$status $(j '.errors[0].pointer')" "422 #/params/$2" "refused: $1"
}
refused '"val_fraction":0.1' val_fraction
refused '"discriminator_norm":"batch"' r1
refused '"channels":[64,32,16,8,8,8,8]' channels
refused '"judge_samples":10' judge_samples
refused '"on_collapse":"pray"' on_collapse

post '/v1/jobs?validate_only=true' '{"kind":"gan","preset":"report"}'
is "$(j '[.params.latent_dim, .params.batch_size, .params.lr, .params.beta1, .params.discriminator_norm, .params.spectral_norm, .params.r1]')" \
  '[100,128,0.0002,0.5,"batch",false,0]' "the report's recipe"
get /v1/kinds/gan
is "$(j '[.series[] | select(.name == "d_loss" or .name == "g_loss") | [.reference_lines[0].value * 1000 | floor]]')" '[[1386],[693]]' "2 ln 2 and ln 2 are drawn"

# Under a sanitizer a judge takes minutes: of a run without one it says what there is to say.
if [ -n "$SLOW" ]; then
  submit "{\"kind\":\"gan\",\"params\":{${PAIR/:256/:0},\"epochs\":2,\"on_collapse\":\"rollback\"}}"
  settle "$job"
  is "$state $(j '[.stop_reason, .best.metric, .test]')" 'succeeded ["completed","d_loss",null]' "a run that nobody judges ends"
  finish
fi

submit "{\"kind\":\"gan\",\"name\":\"pair\",\"seed\":3,\"params\":{$PAIR,\"epochs\":2}}"
settle "$job"
is "$state $(j .stop_reason)" "succeeded completed" "a run ends"
is "$(j '[.best.metric, (.best.value > 0), .generalisation_gap, (.test.fcd == .best.value), (.test.class_shares | length), .test.kid]')" '["fcd",true,null,true,10,null]' "the best epoch is the one whose samples are nearest to real images"
get '/v1/jobs/pair/metrics?by=step'
steps=$(j '.series.d_loss.step | length')
is "$steps" "$((2 * (N / 16)))" "the short batch is left out"
is "$(j '.series | [(.d_loss_real.value[5] + .d_loss_fake.value[5] - .d_loss.value[5] | fabs < 1e-6), (.fcd.step | length), (.share_9.step | length), (.r1.step | length)]')" \
  "[true,2,20,$((steps / 16))]" "its series"
get /v1/jobs/pair/previews
is "$(j '[.data[] | select(.kind == "samples")] | length')" 21 "ten pictures an epoch, and one before the first"
is "$(j '[.data[] | .step] == ([.data[] | .step] | sort) and ([.data[] | .url] | unique | length) == 21')" true "in the order in which they were taken"
step=$(j '.data[14].step')
get "$(j '.data[14].url')"
is "$status $(header Latentd-Epoch) $(header Latentd-Step)" "200 2 $step" "one of them is known by its step"
inside=$(sha256sum < "$T/body")
get /v1/jobs/pair/previews/2/samples.png
is "$(header Latentd-Step)" "$steps" "an epoch's is that of its end"
check "and another picture" [ "$(sha256sum < "$T/body")" != "$inside" ]
get "/v1/jobs/pair/previews/2/samples.png?step=$((step + 1))"
like "$status $(j .detail)" "^404 .*nearest is that of step $step" "a step without one is told the nearest that has"

# What stands for a run of this kind: no training loss, no validation.
get /v1/kinds
is "$(j '.data[] | select(.kind == "gan") | .headlines')" '["d_loss","g_loss","fcd"]' "headlines"
get /v1/jobs/pair/events.txt
like "$(grep '^epoch 2/2' "$T/body")" '^epoch 2/2  d_loss [0-9.]+  g_loss [0-9.]+  fcd [0-9.e+]+  [0-9.]+ s$' "a line for people"
get "/v1/jobs/pair/events?limit=100&order=desc"
mean=$(j '[.data[] | select(.epoch_end.epoch == 2)][0].epoch_end.d_loss')
get '/v1/jobs/pair/metrics?by=epoch&names=d_loss'
is "$(j ".series.d_loss.value[1] - $mean | fabs < 1e-7")" true "which has the epoch's mean"
get /v1/jobs/pair/curves.svg
is "$(grep -o '>[dg]_[a-z_]*</text>\|>fcd</text>\|>2 ln 2[^<]*' "$T/body" | tr -d '\n')" '>d_loss</text>>g_loss</text>>2 ln 2: guessing' "a picture of one unit, with what it is measured by"

# From noise to noise: around the sphere unless told otherwise, from what a seed draws first.
post /v1/models/pair/sample '{"count":2,"seed":3}'
drawn=$(j '.z[0] | tostring')
post /v1/models/pair/interpolate '{"from":{"seed":3},"to":{"seed":4},"steps":5}'
is "$(j '[.z[0] | tostring, length == 100]')" "$(jq -cn --arg z "$drawn" '[$z, 100 == 100]')" "a walk begins where samples of its seed do"
is "$(j '[.z[0], .z[2], .z[4] | map(. * .) | add | sqrt] | (.[1] / .[0] - 1 | fabs < 0.3) and (.[1] / .[2] - 1 | fabs < 0.3)')" true "and keeps to the sphere"
post /v1/models/pair/interpolate '{"from":{"seed":3},"to":{"class":"Bag"}}'
is "$status $(j '[.errors[0].pointer, .detail]')" '422 ["#/to/class","to.class: a gan has no encoder; abilities: decode, sample"]' "no class is an end of it"
get '/v1/models/pair/samples.png?count=16&seed=2'
is "$status $(png_size "$T/body")" "200 112x112" "a grid of samples"
post /v1/models/pair/encode '{"dataset":"fashion-mnist","split":"test","indices":[0]}'
is "$status $(j .detail)" "422 a gan has no encoder; abilities: decode, sample" "it has no encoder"
post /v1/models/pair/sample '{"count":3,"seed":5}'
is "$(j '[(.images | length), (.images | flatten | min >= 0), (.images | flatten | max <= 1)]')" '[3,true,true]' "pixels are in 0 to 1"
get "/v1/jobs/pair/checkpoints/last/weights"
length=$(od -An -tu8 -N8 "$T/body" | tr -d ' ')
tail -c +9 "$T/body" | head -c "$length" | jq . > "$T/names.json"
is "$(jq -c '[."generator.0.weight".shape, ."discriminator.0.weight_orig".shape, ."discriminator.0.weight_u".shape, has("watch.shown"), has("live.generator.0.weight")]' "$T/names.json")" \
  '[[3136,100],[8,1,4,4],[8],false,false]' "its weights bear PyTorch's names, and nothing else is in the file"
get /v1/models/pair/pytorch.py
like "$body" 'spectral_norm\(nn.Conv2d' "as PyTorch"

# A generator that never moves away from noise: every class but one is missing for as long as it is watched.
lost='"lr_g":1e-9,"epochs":200'
submit "{\"kind\":\"gan\",\"name\":\"stopped\",\"params\":{$PAIR,$lost,\"on_collapse\":\"stop\"}}"
settle "$job"
is "$state $(j .stop_reason)" "succeeded collapsed" "collapse ends a run that wants it so"
like "$(j '.warnings[0]')" 'mode collapse|has won' "the job says why"
get "/v1/jobs/$job/events?limit=100&order=desc"
check "and so does an alert" [ "$(j '[.data[] | select(.event == "alert" and .code != "rolled_back")] | length > 0')" = true ]
submit "{\"kind\":\"gan\",\"name\":\"rolled\",\"params\":{$PAIR,$lost,\"on_collapse\":\"rollback\"}}"
settle "$job"
is "$state $(j .stop_reason)" "succeeded collapsed" "three roll-backs do not save it"
is "$(j '[.warnings[] | select(test("went back|began anew"))] | length')" 3 "there were three"
finish
